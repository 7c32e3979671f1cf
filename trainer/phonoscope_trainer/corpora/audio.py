"""Audio files: read as mono float32 at the front-end's rate, written as FLAC."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.writing import written_whole

AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")


def read_mono(path: Path, sample_rate_hz: int) -> NDArray[np.float32]:
    """`[N]` float32 samples of a file, channels averaged, resampled where its rate differs.

    Raises:
        CorpusError: the file is missing, is not audio, or holds no samples.
    """
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise CorpusError(f"{path}: cannot be read as audio: {error}") from error
    if not len(samples):
        raise CorpusError(f"{path}: holds no samples")
    mono = samples.mean(axis=1)
    return np.asarray(mono if rate == sample_rate_hz else soxr.resample(mono, rate, sample_rate_hz), np.float32)


def read_sum(paths: Sequence[Path], sample_rate_hz: int) -> NDArray[np.float32]:
    """`[N]` float32 sum of files, as long as the shortest of them."""
    stems = [read_mono(path, sample_rate_hz) for path in paths]
    samples = min(map(len, stems))
    return np.asarray(np.sum([stem[:samples] for stem in stems], axis=0), np.float32)


def write_flac(path: Path, samples: NDArray[np.floating], sample_rate_hz: int) -> None:
    """Write `[N]` samples between -1 and 1 as 16-bit FLAC, whole or not at all."""
    with written_whole(path) as unfinished:
        soundfile.write(unfinished, samples, sample_rate_hz, format="FLAC", subtype="PCM_16")
