"""Trains a masker for one detector, on the music the detector learnt from, varied as it was then."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.networks.label import threshold_logit
from phonoscope_trainer.networks.layout import channels_last
from phonoscope_trainer.networks.masker import Masker
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.ranges import at_least
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.masker.objective import MovedExcerpts, Weights, draw_fillings, objective
from phonoscope_trainer.recipes.precision import activations
from phonoscope_trainer.recipes.updates import resumed, run_updates

MOST_GRADIENT = 1.0  # norm: a bin that is in or out is a step, and steps make steep gradients
VALIDATION_SEED = 1_000_003  # of the fillings that every validation uses


@dataclass(frozen=True, slots=True)
class MaskerOptions:
    """How a masker is trained; saved with the run."""

    updates: int = 3000
    batch: int = 16  # excerpts
    learning_rate: float = 2e-3  # at the peak of the cycle
    weight_decay: float = 1e-4
    warm_up: float = 0.15  # share of updates before the peak
    weights: Weights = field(default_factory=Weights)
    exchange_share: float = 0.6  # of excerpts that are exchanged with other music
    outside_db: tuple[float, float] = (15.0, 60.0)  # attenuation of what is outside, in half of the others
    third_db: tuple[float, float] = (0.0, 20.0)  # attenuation of the excerpt that shows the silhouette
    offset: float = 0.5  # standard deviation, in the mask's logits, of where it is cut
    sized_share: float = 0.5  # of excerpts whose region has a size that is drawn
    sizes: tuple[float, float] = (0.12, 0.35)  # of an excerpt, the least and the largest of these
    threshold: float = 0.5  # the detector's: a probability at or above it is labelled `vocal`
    validation_excerpts: int = 192
    validate_every: int = 100  # updates; the best masker so far is the one that is kept
    bfloat16: bool = True  # activations; weights and their update stay float32
    seed: int = 0
    start: str = ""  # a finished run to go on from, through another cycle; empty: from random weights
    detector: str = ""  # the run that is explained
    corpora: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        at_least(2, self, "batch")  # one of each answer
        at_least(1, self, "updates", "validation_excerpts", "validate_every")
        if not self.learning_rate > 0:
            raise OptionsError(f"learning_rate must be above 0, got {self.learning_rate}")
        if not 0 < self.threshold < 1:
            raise OptionsError(f"threshold must lie between 0 and 1, got {self.threshold}")
        for name in ("exchange_share", "sized_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise OptionsError(f"{name} must be between 0 and 1, got {getattr(self, name)}")
        if not 0 < self.sizes[0] <= self.sizes[1] < 1:
            raise OptionsError(f"sizes must lie between 0 and 1, the least first, got {self.sizes[0]}, {self.sizes[1]}")
        for name in ("outside_db", "third_db"):
            low, high = getattr(self, name)
            if not 0 <= low <= high:
                raise OptionsError(f"{name} needs 0 <= low <= high, got {low}, {high}")

    @property
    def threshold_logit(self) -> float:
        """The threshold before the sigmoid."""
        return threshold_logit(self.threshold)


class MaskerLearner:
    """A masker, its optimiser and schedule, and what it was at its best."""

    def __init__(self, network: SVDNet, standardise: Standardise, options: MaskerOptions) -> None:
        """Of random weights, or as the run to start from left it.

        Raises:
            CheckpointError: the run to start from cannot be read.
        """
        torch.manual_seed(options.seed)
        self.network = network.eval().requires_grad_(requires_grad=False)
        channels_last(self.network)
        self.standardise, self.options = standardise, options
        self.masker = Masker()
        channels_last(self.masker)
        if options.start:
            self.masker.load_state_dict(checkpoint.load(Path(options.start))["best"])
        self.optimiser = torch.optim.AdamW(
            self.masker.parameters(), options.learning_rate, weight_decay=options.weight_decay
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, options.learning_rate, total_steps=options.updates, pct_start=options.warm_up
        )
        self.best, self.best_loss = copy.deepcopy(self.masker.state_dict()), math.inf

    def update(self, excerpts: MovedExcerpts, step: int) -> dict[str, float]:
        """One step of the optimiser; the objective and its terms."""
        terms = self._terms(excerpts, self.options.seed + step, self.options.offset, self.options.sized_share)
        self.optimiser.zero_grad()
        terms["loss"].backward()
        torch.nn.utils.clip_grad_norm_(self.masker.parameters(), MOST_GRADIENT)
        self.optimiser.step()
        self.schedule.step()
        return {name: float(value.detach()) for name, value in terms.items()}

    @torch.no_grad()
    def validate(self, validation: Sequence[MovedExcerpts]) -> dict[str, float]:
        """Means over batches of unvaried music; remembers the masker if it was never better."""
        batches = [self._terms(each, VALIDATION_SEED + number, 0.0, 0.0) for number, each in enumerate(validation)]
        means = {name: float(torch.stack([batch[name] for batch in batches]).mean()) for name in batches[0]}
        if means["loss"] < self.best_loss:
            self.best, self.best_loss = copy.deepcopy(self.masker.state_dict()), means["loss"]
        return means

    def state(self) -> dict[str, Any]:
        """Everything that changes."""
        parts = {name: getattr(self, name).state_dict() for name in ("masker", "optimiser", "schedule")}
        return parts | {"best": self.best, "best_loss": self.best_loss}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `state` gave."""
        for name in ("masker", "optimiser", "schedule"):
            getattr(self, name).load_state_dict(state[name])
        self.best, self.best_loss = state["best"], state["best_loss"]

    def _terms(self, excerpts: MovedExcerpts, seed: int, offset: float, sized_share: float) -> Mapping[str, Tensor]:
        fillings = draw_fillings(
            len(excerpts.log_mel),
            seed,
            self.options.exchange_share,
            self.options.outside_db,
            self.options.third_db,
            offset,
            sized_share,
            self.options.sizes,
        )
        with activations(torch.device("cpu"), bfloat16=self.options.bfloat16):
            return objective(
                self.masker,
                self.network,
                excerpts,
                fillings,
                self.standardise,
                self.options.threshold_logit,
                self.options.weights,
            )


def train_masker(
    folder: Path,
    draw: Callable[[int], MovedExcerpts],
    validation: Sequence[MovedExcerpts],
    network: SVDNet,
    standardise: Standardise,
    options: MaskerOptions,
) -> Masker:
    """Train, or resume, the run in `folder`; the masker with the lowest validation loss, in evaluation mode.

    Args:
        folder: the run: options, checkpoint and TensorBoard log.
        draw: the step-th batch.
        validation: batches of music that is not learnt from.
        network: the detector; its weights stay as they are.
        standardise: its band statistics.
        options: everything else.

    Raises:
        CheckpointError: `folder` holds a run with other options, or the run to start from cannot be read.
    """
    learner = MaskerLearner(network, standardise, options)
    first = resumed(folder, options, learner)
    run_updates(
        folder,
        first,
        options,
        "masker",
        lambda step: learner.update(draw(step), step),
        lambda: learner.validate(validation),
        lambda _: learner.state(),
    )
    return load_masker(folder)


def load_masker(folder: Path) -> Masker:
    """The masker of a run as it was at its best, in evaluation mode.

    Raises:
        CheckpointError: the folder holds no readable run.
    """
    masker = Masker()
    masker.load_state_dict(checkpoint.load(folder)["best"])
    return masker.eval()
