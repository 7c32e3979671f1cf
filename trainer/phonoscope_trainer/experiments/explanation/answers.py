"""Right answers: excerpts that the detector calls what they are, as many vocal ones as others where there are as many.

A lone voice is no music: there is nothing beside it to tell it from, and its rests are silence. It is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phonoscope_trainer.corpora.excerpts import Places, every_place, log_mel_at
from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.experiments.explanation.excerpts import CANDIDATES
from phonoscope_trainer.frontends.mel import CONTEXT_FRAMES, EXCERPT_FRAMES, Frontend
from phonoscope_trainer.recipes.detector.excerpts import LONE_KINDS

MOST_CANDIDATES = 10  # for every excerpt wanted of a class

Margins = Callable[[Tensor], Tensor]  # log-mel `[B, T, M]` to logits above the threshold's, `[B]`


@dataclass(frozen=True, slots=True)
class RightAnswers:
    """Excerpts of one corpus whose answers are right."""

    log_mel: Tensor  # [N, T, M]
    accompaniment: Tensor  # [N, T, M] of the same place, everything but the voice; silence where that is not known
    has_stems: NDArray[np.bool_]  # [N] whether it is
    margin: NDArray[np.float64]  # [N] logits above the threshold's
    track: NDArray[np.int64]  # [N] index of the track

    def __len__(self) -> int:
        return len(self.track)

    @property
    def is_vocal(self) -> NDArray[np.bool_]:
        """The answers `[N]`."""
        return self.margin >= 0


def right_answers(
    name: str, tracks: Sequence[Features], frontend: Frontend, margins: Margins, count: int, seed: int
) -> RightAnswers:
    """Right answers from places drawn uniformly, `count` at most, half of each class at most.

    Raises:
        CorpusError: none of one class is right.
    """
    parts = []
    for vocal in (False, True):
        places, found = _right(tracks, frontend, margins, count // 2, seed, vocal=vocal)
        if not len(places):
            raise CorpusError(f"{name}: of its {'sung' if vocal else 'unsung'} music the detector is right about none")
        parts.append((places, found))
    places, found = (np.concatenate(each) for each in zip(*parts, strict=True))
    return RightAnswers(
        log_mel_at(tracks, places, frontend),
        torch.stack([_accompaniment(tracks[track], first, frontend) for track, first in places]),
        np.array([tracks[track].has_stems for track, _ in places]),
        found,
        places[:, 0],
    )


def _right(
    tracks: Sequence[Features], frontend: Frontend, margins: Margins, wanted: int, seed: int, *, vocal: bool
) -> tuple[Places, NDArray[np.float64]]:
    """Places whose middle frame is labelled so and called so, and how clearly."""
    is_music = np.array([each.track.kind not in LONE_KINDS for each in tracks])
    places = every_place(tracks)
    labels = np.array([tracks[track].labels[first + CONTEXT_FRAMES] for track, first in places], bool)
    places = places[(labels == vocal) & is_music[places[:, 0]]]
    np.random.default_rng(seed).shuffle(places)
    kept, found = np.zeros((0, 2), np.int64), np.zeros(0)
    for first in range(0, min(len(places), MOST_CANDIDATES * wanted), CANDIDATES):
        candidates = places[first : first + CANDIDATES]
        margin = margins(log_mel_at(tracks, candidates, frontend)).double().numpy()
        is_right = (margin >= 0) == vocal
        kept, found = np.concatenate([kept, candidates[is_right]]), np.concatenate([found, margin[is_right]])
        if len(kept) >= wanted:
            break
    return kept[:wanted], found[:wanted]


def _accompaniment(track: Features, first: int, frontend: Frontend) -> Tensor:
    if not track.has_stems:
        return frontend.log_mel(torch.zeros(EXCERPT_FRAMES, frontend.options.bins))
    magnitude = track.magnitudes[-1, first : first + EXCERPT_FRAMES].astype(np.float32)
    return frontend.log_mel(torch.from_numpy(magnitude))
