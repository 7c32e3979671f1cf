"""Excerpts of recordings: the places where they can begin, some of these drawn at random, and what stands there.

A place is the index of a track and the first frame of an excerpt in it. What is drawn depends on tracks and seed alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.frontends.mel import EXCERPT_FRAMES, Frontend

Places = NDArray[np.int64]  # [N, 2]: index of the track, first frame


def place_counts(
    tracks: Iterable[Features], hop_frames: int = 1, excerpt_frames: int = EXCERPT_FRAMES
) -> NDArray[np.int64]:
    """`[tracks]` in how many places of each track, `hop_frames` apart, an excerpt of so many frames can begin."""
    spare = np.array([len(track.labels) - excerpt_frames for track in tracks], np.int64)
    return np.maximum(0, 1 + spare // hop_frames)


def every_place(tracks: Iterable[Features], hop_frames: int = 1, excerpt_frames: int = EXCERPT_FRAMES) -> Places:
    """Every place of all tracks, `hop_frames` apart, in order."""
    counts = place_counts(tracks, hop_frames, excerpt_frames)
    first_frames = [hop_frames * np.arange(count) for count in counts]
    track = np.repeat(np.arange(len(counts)), counts)
    return np.stack([track, np.concatenate([np.zeros(0, np.int64), *first_frames])], axis=1)


def drawn_places(counts: NDArray[np.int64], count: int, rng: np.random.Generator, hop_frames: int = 1) -> Places:
    """`count` places, each of all that `place_counts` counts equally likely, with replacement."""
    tracks = rng.choice(len(counts), count, p=counts / counts.sum())
    return np.array([(track, hop_frames * rng.integers(counts[track])) for track in tracks], np.int64)


def log_mel_at(
    tracks: Sequence[Features], places: Iterable[Sequence[int]], frontend: Frontend, frames: int = EXCERPT_FRAMES
) -> Tensor:
    """Log-mel `[N, frames, M]` of mixtures at `places` `[N, 2]`."""
    return torch.stack(
        [
            frontend.log_mel(torch.from_numpy(tracks[track].magnitudes[0, first : first + frames].astype(np.float32)))
            for track, first in places
        ]
    )


def random_excerpts(tracks: Sequence[Features], count: int, frontend: Frontend, seed: int) -> Tensor:
    """`[count, 115, M]` log-mel excerpts of the tracks' mixtures, from places drawn uniformly over all frames.

    Raises:
        CorpusError: no track is as long as an excerpt.
    """
    counts = place_counts(tracks)
    if not counts.any():
        raise CorpusError(f"no track has the {EXCERPT_FRAMES} frames of an excerpt")
    return log_mel_at(tracks, drawn_places(counts, count, np.random.default_rng(seed)), frontend)
