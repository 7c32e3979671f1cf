"""Excerpts to be explained: as many that the detector calls vocal as others, and how often it does.

EUSIPCO 2018, section III.C, draws excerpts at random. Here both classes are drawn alike, which says most about each;
figures pooled as in the paper follow by weighting the classes with the shares they have among places drawn at random.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from phonoscope_trainer.corpora.excerpts import every_place, log_mel_at
from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.frontends.mel import Frontend

MOST_CANDIDATES = 10  # for every excerpt wanted: a class that is rarer than one in twenty is not waited for
CANDIDATES = 64  # labelled together

Label = Callable[[Tensor], Tensor]  # log-mel `[B, T, M]` to whether the detector calls it vocal, `[B]`


@dataclass(frozen=True, slots=True)
class Excerpts:
    """Excerpts of one corpus, track by track."""

    log_mel: Tensor  # [N, T, M]
    is_vocal: NDArray[np.bool_]  # [N] the detector's label
    track: NDArray[np.int64]  # [N] index of the track
    first_frame: NDArray[np.int64]  # [N] where in it
    vocal_share: float  # of places drawn at random

    def __len__(self) -> int:
        return len(self.track)

    def rows(self, chosen: NDArray[np.int64]) -> Excerpts:
        """Some of them."""
        return Excerpts(
            self.log_mel[chosen],
            self.is_vocal[chosen],
            self.track[chosen],
            self.first_frame[chosen],
            self.vocal_share,
        )

    def some(self, count: int) -> Excerpts:
        """`count` of them at most, spread over all tracks, the same number of each class."""
        kept = [_spread(np.flatnonzero(self.is_vocal == vocal), count // 2) for vocal in (False, True)]
        return self.rows(np.sort(np.concatenate(kept)))

    def batches(self, rows: int) -> Iterator[Excerpts]:
        """All of them, `rows` at a time."""
        for first in range(0, len(self), rows):
            yield self.rows(np.arange(first, min(first + rows, len(self))))


def balanced_excerpts(
    name: str, tracks: Sequence[Features], frontend: Frontend, label: Label, count: int, seed: int
) -> Excerpts:
    """`count` excerpts of mixtures, half of them called vocal, from places drawn uniformly over all frames.

    Raises:
        CorpusError: the detector calls too few of them vocal, or too many.
    """
    places = every_place(tracks)
    np.random.default_rng(seed).shuffle(places)
    wanted, labels = count // 2, np.zeros(0, bool)
    candidates = places[: MOST_CANDIDATES * count]
    for first in range(0, len(candidates), CANDIDATES):
        drawn = label(log_mel_at(tracks, candidates[first : first + CANDIDATES], frontend))
        labels = np.concatenate([labels, drawn.numpy()])
        if min(labels.sum(), (~labels).sum()) >= wanted:
            break
    kept = [np.flatnonzero(labels == vocal)[:wanted] for vocal in (False, True)]
    if min(map(len, kept)) < wanted:
        raise CorpusError(
            f"{name}: of {len(labels)} excerpts {len(kept[1])} are called vocal and {len(kept[0])} are not;"
            f" {wanted} of each are needed"
        )
    chosen = np.concatenate(kept)
    chosen = chosen[np.lexsort(candidates[chosen].T[::-1])]
    track, first_frame = candidates[chosen].T
    return Excerpts(
        log_mel_at(tracks, candidates[chosen], frontend), labels[chosen], track, first_frame, float(labels.mean())
    )


def _spread(rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    chosen: NDArray[np.int64] = rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)]
    return chosen
