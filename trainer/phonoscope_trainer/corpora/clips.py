"""Clips of recordings, cut once and kept on disk: what a tagger hears of a song (Choi et al. 2016, section 4)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from phonoscope_trainer.corpora.audio import read_mono
from phonoscope_trainer.corpora.features import cache_folder
from phonoscope_trainer.frontends.linear import LINEAR_STFT, LinearStftOptions
from phonoscope_trainer.writing import written_whole

CLIPS_PER_SONG = 10
FULL_SCALE = 32_768  # of 16-bit samples, which is what is kept


def cut(
    samples: NDArray[np.float32], options: LinearStftOptions = LINEAR_STFT, count: int = CLIPS_PER_SONG
) -> NDArray[np.float32]:
    """`[count, clip_samples]` clips of `samples` `[N]`, evenly from the first sample to the last.

    They overlap where a recording is shorter than all of them together; silence follows one shorter than a clip.
    """
    length = options.clip_samples
    samples = np.pad(samples, (0, max(0, length - len(samples))))
    starts = np.linspace(0, len(samples) - length, count).astype(int)
    return np.stack([samples[start : start + length] for start in starts])


def clips(
    paths: Iterable[Path], title: str, options: LinearStftOptions = LINEAR_STFT, progress: bool = True
) -> list[NDArray[np.int16]]:
    """The ten clips of each recording, `[10, clip_samples]` int16 mapped from the cache, which is filled if need be.

    Raises:
        CorpusError: a file is missing or is not audio.
    """
    folder = cache_folder() / "clips"
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for path in tqdm(list(paths), desc=title, unit="song", disable=not progress):
        entry = folder / f"{_key(path, options)}.npy"
        if not entry.exists():
            heard = np.clip(cut(read_mono(path, options.sample_rate_hz), options), -1, 1 - 1 / FULL_SCALE)
            with written_whole(entry) as unfinished, unfinished.open("wb") as file:
                np.save(file, np.round(heard * FULL_SCALE).astype(np.int16))
        found.append(np.load(entry, mmap_mode="r"))
    return found


def _key(path: Path, options: LinearStftOptions) -> str:
    """Name of a cache entry: changes with the file and with what a clip is."""
    file = path.stat() if path.is_file() else None
    described = (str(path.resolve()), file and (file.st_size, file.st_mtime_ns), options.sample_rate_hz, options.clip_s)
    return hashlib.sha256(repr((*described, CLIPS_PER_SONG)).encode()).hexdigest()[:32]
