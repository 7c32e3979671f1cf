"""One answer whatever the level: each row is heard again, quieter or louder, and answers that differ add to the loss.

Nobody sings less where a recording is quieter. Levels that vary from row to row leave a network to find that out across
rows; a row beside itself says it outright.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.frontends.mel import FRONTEND
from phonoscope_trainer.recipes.detector.training import Batch, Objective, cross_entropy

LN_FLOOR = math.log(FRONTEND.floor)
FLOOR_ROUNDING = 1e-4  # a bin this close to the floor is silent
SEEDS_APART = 7919  # a prime: runs of neighbouring seeds share few changes of level, and none at the same update


@dataclass(frozen=True, slots=True)
class LevelAgreement:
    """How much two levels of one row must agree."""

    weight: float = 0.0  # of the disagreement in the loss; 0: every row is heard once
    change_db: tuple[float, float] = (-30.0, 15.0)  # the second level less the first, uniform

    def __post_init__(self) -> None:
        if not self.weight >= 0:
            raise OptionsError(f"level_agreement.weight must be at least 0, got {self.weight}")
        if not self.change_db[0] <= self.change_db[1]:
            raise OptionsError(f"level_agreement.change_db: needs low <= high, got {self.change_db}")


def heard_twice(draw: Callable[[int], Batch], options: LevelAgreement, seed: int) -> Callable[[int], Batch]:
    """Batches of twice the rows: those that `draw` draws, then each once more at another level; labels repeated."""
    low, high = options.change_db

    def draw_twice(step: int) -> Batch:
        log_mel, labels = draw(step)
        generator = torch.Generator().manual_seed(seed * SEEDS_APART + step)
        change_db = low + (high - low) * torch.rand(len(log_mel), generator=generator)
        again = at_another_level(log_mel, change_db.to(log_mel.device))
        return torch.cat([log_mel, again]), torch.cat([labels, labels])

    return draw_twice


def at_another_level(log_mel: Tensor, change_db: Tensor) -> Tensor:
    """`log_mel` `[B, T, M]` louder by `change_db` `[B]`; what is silent stays so, and nothing falls below the floor."""
    change = change_db * math.log(10) / 20
    louder = (log_mel + change[:, None, None]).clamp(min=LN_FLOOR)
    return torch.where(log_mel <= LN_FLOOR + FLOOR_ROUNDING, log_mel, louder)


def objective(options: LevelAgreement) -> Objective:
    """Cross-entropy of all rows and, weighted, the disagreement of their two halves."""

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        return cross_entropy(logits, labels) + options.weight * disagreement(*logits.chunk(2))

    return loss


def disagreement(first: Tensor, second: Tensor) -> Tensor:
    """Mean over logits `[B, S]` of KL(p‖q) + KL(q‖p), p and q the Bernoulli distributions they stand for; a scalar."""
    return ((torch.sigmoid(first) - torch.sigmoid(second)) * (first - second)).mean()
