"""Whose music meets whose: an excerpt that has a label, and two of other recordings that have not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.recipes.listened import Listened

SURE = 1.0  # log-odds from the threshold: how clearly an excerpt has the label, and a host does without
FEWEST = 6  # excerpts that have a label, and as many that clearly have not, for it to be learnt from


@dataclass(frozen=True, slots=True)
class Matches:
    """A batch, by rows of what was listened to, all `[B]`."""

    row: NDArray[np.int64]
    host: NDArray[np.int64]
    third: NDArray[np.int64]
    label: NDArray[np.int64]


class Matchmaker:
    """Draws matches, every label as often as any other that can be learnt from.

    Excerpts have their label clearly, where enough do: where everything an excerpt has barely suffices, no part of it
    will. `given` are all that have it.

    Args:
        listened: excerpts with answers.
        margins: `[N, K]` log-odds above the thresholds.

    Raises:
        CorpusError: no label is had by some excerpts and clearly not by others.
    """

    def __init__(self, listened: Listened, margins: Tensor) -> None:
        self.listened = listened
        has, lacks = (margins >= 0).numpy(), (margins <= -SURE).numpy()
        clearly = (margins >= SURE).numpy()
        self.given = {k: np.flatnonzero(has[:, k]) for k in range(has.shape[1])}
        clear = {k: np.flatnonzero(clearly[:, k]) for k in self.given}
        self.having = {k: clear[k] if len(clear[k]) >= FEWEST else given for k, given in self.given.items()}
        self.lacking = {k: np.flatnonzero(lacks[:, k]) for k in range(has.shape[1])}
        self.labels = [k for k in self.having if min(len(self.having[k]), len(self.lacking[k])) >= FEWEST]
        if not self.labels:
            raise CorpusError(f"no label is given to {FEWEST} excerpts and clearly refused to {FEWEST} others")

    def draw(self, count: int, rng: np.random.Generator) -> Matches:
        """So many matches; host and third are of other recordings than the excerpt, where there are any."""
        label = rng.choice(self.labels, count)
        row = np.array([rng.choice(self.having[k]) for k in label])
        host, third = (np.array([self.other(k, r, rng) for k, r in zip(label, row, strict=True)]) for _ in range(2))
        return Matches(row, host, third, label)

    def other(self, label: int, row: int, rng: np.random.Generator) -> int:
        """An excerpt that clearly lacks a label, of another recording than a row, where there is any."""
        lacking, track = self.lacking[label], self.listened.track
        elsewhere = lacking[track[lacking] != track[row]]
        return int(rng.choice(elsewhere if len(elsewhere) else lacking))


def margins_of(log_odds: Tensor, threshold_logits: Tensor, decision: str) -> Tensor:
    """`[N, K]` how clearly each label is given: above 0 it is.

    Args:
        log_odds: `[N, K]`.
        threshold_logits: `[K]`.
        decision: of a `multi-class` one, the margin over the strongest of the others; of a binary one, both labels'.
    """
    if decision == "binary":
        above = log_odds - threshold_logits
        return torch.cat([above, -above], dim=1)
    if decision == "multi-label":
        return log_odds - threshold_logits
    best = log_odds.topk(2, dim=1).values
    return log_odds - torch.where(log_odds == best[:, :1], best[:, 1:], best[:, :1])
