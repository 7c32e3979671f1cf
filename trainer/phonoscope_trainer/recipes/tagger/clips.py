"""Batches of labelled clips, drawn class by class so that every label comes up equally often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phonoscope_trainer.corpora.clips import FULL_SCALE, clips
from phonoscope_trainer.corpora.corpus import Split
from phonoscope_trainer.corpora.labelled import LabelledMusic
from phonoscope_trainer.errors import CorpusError


@dataclass(frozen=True, slots=True)
class LabelledClips:
    """The clips of some songs; `label` is the number of each song's label."""

    songs: Sequence[NDArray[np.int16]] = field(repr=False)  # [clips, samples] each
    label: NDArray[np.int64]  # [S]

    def draw(self, count: int, gain_db: float, *seed: int) -> tuple[Tensor, Tensor]:
        """`[count, N]` samples, each clip louder or softer by up to `gain_db`, and `[count]` labels."""
        rng = np.random.default_rng(seed)
        labels = rng.permutation(np.arange(count) % (self.label.max() + 1))
        drawn = []
        for label in labels:
            song = self.songs[int(rng.choice(np.flatnonzero(self.label == label)))]
            gain = 10 ** (float(rng.uniform(-gain_db, gain_db)) / 20) / FULL_SCALE
            drawn.append(song[int(rng.integers(len(song)))] * np.float32(gain))
        return torch.from_numpy(np.stack(drawn)), torch.from_numpy(labels)

    def some(self, clips_per_song: int) -> tuple[Tensor, Tensor]:
        """`[S·clips, N]` samples of clips evenly through each song, and their labels."""
        chosen = [song[np.linspace(0, len(song) - 1, clips_per_song).astype(int)] for song in self.songs]
        samples = np.concatenate(chosen).astype(np.float32) / FULL_SCALE
        return torch.from_numpy(samples), torch.from_numpy(np.repeat(self.label, clips_per_song))


def of_split(music: LabelledMusic, split: Split, labels: Sequence[str], progress: bool = True) -> LabelledClips:
    """The clips of one split, labels numbered as in `labels`.

    Raises:
        CorpusError: the split lacks songs of a label, or has songs of another.
    """
    songs = music.of(split)
    if (found := {song.label for song in songs}) != set(labels):
        raise CorpusError(
            f"{music.root}: the {split} split has songs of {', '.join(sorted(found)) or 'no label'}; "
            f"it needs some of each of {', '.join(labels)}"
        )
    cut = clips((song.path for song in songs), f"{music.root.name}, {split}", progress=progress)
    return LabelledClips(cut, np.array([labels.index(song.label) for song in songs]))
