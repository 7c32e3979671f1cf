"""How feature inverters are trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.networks.feature_inverters import Variant
from phonoscope_trainer.networks.svdnet import CONVOLUTIONS, LAYERS
from phonoscope_trainer.ranges import at_least
from phonoscope_trainer.recipes.feature_inversion.objective import METHODS, Method

WIDE = ("conv1", "conv2", "mp3", "conv4", "conv5")  # layers with hundreds of positions and more in every excerpt


@dataclass(frozen=True, slots=True)
class InversionOptions:
    """How the inverters are trained; the defaults are the paper's. Saved with the run."""

    layers: tuple[str, ...] = LAYERS
    methods: tuple[Method, ...] = ("joint",)
    variant: Variant = "sketched"
    epochs: int = 30
    batches_per_epoch: int = 3000  # the paper's 100 000 excerpts
    batch: int = 32  # excerpts
    wide_updates: int = 1  # in every batch, of the inverters of conv1 … conv5
    wide_rows: int = 32  # excerpts that each of these updates learns from
    batch_statistics: float = 1.0  # share of updates after which running statistics normalise, as in use
    learning_rate: float = 1e-3  # with `one-cycle`, at the peak
    adam_beta2: float = 0.999  # a short run does better with a shorter memory of squared gradients
    schedule: Literal["halving", "one-cycle"] = "halving"  # the paper's, or one that needs fewer updates
    patience: int = 2  # `halving`: epochs in a row in which the training loss stalls
    weight_decay: float = 1e-4  # β of Eq. 3
    input_weight: float = 1.0  # λ_input
    feature_weight: float = 1.0  # λ_feature of `joint`
    feature_start: float = 0.0  # share of updates before it counts; a first rough picture has no features to compare
    comparator: str = "conv5"
    validation_excerpts: int = 256
    sketch_pieces: int = 1600  # of music, twelve excerpts each, behind the sketches of FC7 and FC8
    bfloat16: bool = True  # activations; weights and their update stay float32
    seed: int = 0
    start: str = (
        ""  # a run of these layers and methods to go on from, through another cycle; empty: from random weights
    )
    detector: str = ""  # the run whose layers are inverted
    corpora: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        at_least(1, self, "epochs", "batches_per_epoch", "patience", "validation_excerpts", "sketch_pieces")
        if self.wide_updates < 1 or self.wide_rows < 1 or self.wide_updates * self.wide_rows > self.batch:
            raise OptionsError(
                f"wide_updates ({self.wide_updates}) times wide_rows ({self.wide_rows}) must be from 1 to batch"
                f" ({self.batch})"
            )
        if not 0 < self.batch_statistics <= 1:
            raise OptionsError(f"batch_statistics must be above 0 and at most 1, got {self.batch_statistics}")
        if not 0 <= self.feature_start < 1:
            raise OptionsError(f"feature_start must be from 0 to below 1, got {self.feature_start}")
        if not 0 < self.adam_beta2 < 1:
            raise OptionsError(f"adam_beta2 must lie between 0 and 1, got {self.adam_beta2}")
        if not self.learning_rate > 0:
            raise OptionsError(f"learning_rate must be above 0, got {self.learning_rate}")
        for name, allowed in (("layers", LAYERS), ("methods", METHODS)):
            if not getattr(self, name) or set(getattr(self, name)) - set(allowed):
                raise OptionsError(f"{name} must be some of {', '.join(allowed)}; got {', '.join(getattr(self, name))}")
        if self.comparator not in CONVOLUTIONS:
            raise OptionsError(f"comparator must be one of {', '.join(CONVOLUTIONS)}, got {self.comparator!r}")

    @property
    def batches(self) -> int:
        """Batches of the whole run."""
        return self.epochs * self.batches_per_epoch

    def updates_per_batch(self, layer: str) -> tuple[int, int]:
        """Optimiser steps that a layer's inverter makes in every batch, and excerpts each learns from."""
        return (self.wide_updates, self.wide_rows) if layer in WIDE else (1, self.batch)

    def weights(self, method: Method, progress: float = 1.0) -> tuple[float, float]:
        """λ_input and λ_feature of a method after a share of its updates."""
        joint = method == "joint" and progress >= self.feature_start
        return self.input_weight, self.feature_weight if joint else 0.0
