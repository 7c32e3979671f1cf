"""Evaluation sets: a few random excerpts of every file, drawn several times over (ISMIR 2018, section 3.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from phonoscope_trainer.corpora.excerpts import log_mel_at, place_counts
from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.frontends.mel import CONTEXT_FRAMES, EXCERPT_FRAMES, Frontend
from phonoscope_trainer.networks.standardise import Standardise

EXCERPTS_PER_FILE = 8
Each = TypeVar("Each")  # a track, or its features


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """One draw from one corpus."""

    excerpts: Tensor  # [N, T, M], standardised
    file: NDArray[np.int64]  # [N] which file each is from
    sung: NDArray[np.bool_]  # [N] whether its centre frame is sung


def some_files(tracks: Sequence[Each], files: int) -> list[Each]:
    """At most `files` of the tracks, chosen at random, always the same, in their order."""
    chosen = np.random.default_rng(0).permutation(len(tracks))[:files]
    return [tracks[index] for index in sorted(chosen)]


def evaluation_set(
    tracks: Sequence[Features], frontend: Frontend, standardise: Standardise, seed: int
) -> EvaluationSet:
    """Eight excerpts from random places of every track's mixture.

    Raises:
        CorpusError: a track is shorter than an excerpt.
    """
    rng = np.random.default_rng(seed)
    first_frames = []
    for track, count in zip(tracks, place_counts(tracks), strict=True):
        if not count:
            raise CorpusError(f"{track.track.name}: {len(track.labels)} frames; an excerpt needs {EXCERPT_FRAMES}")
        first_frames.append(rng.integers(count, size=EXCERPTS_PER_FILE))
    places = np.stack([np.repeat(np.arange(len(tracks)), EXCERPTS_PER_FILE), np.concatenate(first_frames)], axis=1)
    sung = np.array([tracks[track].labels[first + CONTEXT_FRAMES] for track, first in places])
    return EvaluationSet(standardise(log_mel_at(tracks, places, frontend)), places[:, 0], sung)
