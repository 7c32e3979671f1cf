"""How the generator is trained."""

from __future__ import annotations

from dataclasses import dataclass

from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.networks.gan import KERNELS, Kernels
from phonoscope_trainer.ranges import at_least
from phonoscope_trainer.recipes.devices import DeviceName


@dataclass(frozen=True, slots=True)
class GanOptions:
    """How generator and critic are trained; the defaults are the paper's. Saved with the run."""

    iterations: int = 600_000  # updates of the generator
    critic_updates: int = 5  # before each; the paper does not say, this is Gulrajani et al.'s
    batch: int = 16  # excerpts
    kernels: Kernels = "paper"
    learning_rate: float = 1e-4  # of the generator
    critic_learning_rate: float = 1e-4
    penalty_weight: float = 10.0
    averaging: float = 0.0  # decay of the running mean of the generator's weights that is kept; 0: the last weights
    judge_every: int = 5000  # iterations from one Fréchet distance and sample sheet to the next
    judged_excerpts: int = 1024  # real and generated each
    checkpoint_every: int = 1000  # iterations
    bfloat16: bool = False  # activations; weights, penalty and updates stay float32
    channels_last: bool = True
    captured: bool = False  # an iteration as one CUDA graph
    device: DeviceName = "auto"
    seed: int = 0
    detector: str = ""  # the run whose FC7 features the distance is measured on
    corpora: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        at_least(1, self, "iterations", "critic_updates", "batch", "judge_every", "checkpoint_every")
        if self.judged_excerpts < 2:
            raise OptionsError(f"judged_excerpts must be at least 2, got {self.judged_excerpts}")
        for name in ("learning_rate", "critic_learning_rate", "penalty_weight"):
            if not getattr(self, name) > 0:
                raise OptionsError(f"{name} must be above 0, got {getattr(self, name)}")
        if not 0 <= self.averaging < 1:
            raise OptionsError(f"averaging must be from 0 to below 1, got {self.averaging}")
        if self.kernels not in KERNELS:
            raise OptionsError(f"kernels must be one of {', '.join(KERNELS)}, got {self.kernels!r}")
