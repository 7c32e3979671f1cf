"""Magnitude spectrograms of a corpus, computed once and kept on disk.

Augmentation works on linear magnitudes (Schlüter & Grill 2015, section 4), so these are what is cached: the mixture,
and where a track has stems its voice and accompaniment, as float16 arrays that are mapped, not loaded.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from phonoscope_trainer.corpora.audio import read_mono
from phonoscope_trainer.corpora.corpus import Track
from phonoscope_trainer.corpora.labels import frame_labels
from phonoscope_trainer.frontends.mel import Frontend, FrontendOptions
from phonoscope_trainer.writing import written_whole

Progress = Callable[[Iterable[Track]], Iterable[Track]]
BLOCK_FRAMES = 4096  # bounds the memory of one transform


def cache_folder() -> Path:
    """`$PHONOSCOPE_CACHE`, or `cache` in the working folder."""
    return Path(os.environ.get("PHONOSCOPE_CACHE", "cache"))


@dataclass(frozen=True, slots=True)
class Features:
    """One track as the trainer uses it."""

    track: Track
    magnitudes: NDArray[np.float16] = field(repr=False)  # [parts, T, bins]: mixture(, voice, accompaniment)
    labels: NDArray[np.bool_] = field(repr=False)  # [T] whether each frame is sung
    taught: NDArray[np.float32] | None = field(default=None, repr=False)  # [T] a teacher's; NaN: nothing is learned

    @property
    def targets(self) -> NDArray[np.float32]:
        """`[T]` what is learned of each frame, the chance that it is sung; NaN where nothing is."""
        return self.labels.astype(np.float32) if self.taught is None else self.taught

    @property
    def has_stems(self) -> bool:
        """Whether voice and accompaniment are there beside the mixture."""
        return len(self.magnitudes) > 1


def frame_magnitudes(frontend: Frontend, samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """`[T, bins]` magnitudes of `samples` `[N]` of any length, computed block by block."""
    options = frontend.options
    frames = options.frames_of(len(samples))
    blocks = []
    for first in range(0, frames, BLOCK_FRAMES):
        count = min(BLOCK_FRAMES, frames - first)
        start = first * options.hop_samples
        block = torch.from_numpy(samples[start : start + options.samples_of(count)])
        with torch.inference_mode():
            blocks.append(frontend.magnitude(block.unsqueeze(0))[0].numpy())
    return np.concatenate(blocks) if blocks else np.zeros((0, options.bins), np.float32)


def _parts(track: Track, options: FrontendOptions) -> list[NDArray[np.float32]]:
    """The mixture, then the stems where there are any, of equal length."""
    stems = [read_mono(path, options.sample_rate_hz) for path in track.audio]
    samples = min(map(len, stems))
    stems = [stem[:samples] for stem in stems]
    return stems if len(stems) == 1 else [np.sum(stems, axis=0, dtype=np.float32), *stems]


def _key(track: Track, options: FrontendOptions) -> str:
    """Name of a cache entry: changes with the audio files and with the front-end's options."""
    files = [(str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in track.audio]
    return hashlib.sha256(repr((files, sorted(asdict(options).items()))).encode()).hexdigest()[:32]


def features(tracks: Iterable[Track], frontend: Frontend, progress: Progress = lambda tracks: tracks) -> list[Features]:
    """Each track's features, from the cache or into it.

    Raises:
        CorpusError: an audio file is missing or is not audio.
    """
    folder = cache_folder() / "features"
    folder.mkdir(parents=True, exist_ok=True)
    result = []
    for track in progress(tracks):
        path = folder / f"{_key(track, frontend.options)}.npy"
        if not path.exists():
            parts = [frame_magnitudes(frontend, part) for part in _parts(track, frontend.options)]
            with written_whole(path) as unfinished, unfinished.open("wb") as file:
                np.save(file, np.stack(parts).astype(np.float16))
        magnitudes = np.load(path, mmap_mode="r")
        labels = frame_labels(track.vocals, magnitudes.shape[1], frontend.options.frames_per_second)
        result.append(Features(track, magnitudes, labels))
    return result
