"""A teacher for recordings that nobody has labelled: what a public model hears in them, where it agrees with itself.

The teacher gives two answers, of a voice, spoken or sung, and of singing. A frame is learned from where both are on the
same side and the voice is heard clearly, or clearly not, in the frame as around it: what it takes for speech, what it
doubts and the edges of singing teach nothing. Of solo voices, some of which it misses, and of instrumentals, some of
which it takes for singing, nothing is learned from it: recordings with labels keep them. Where notes were labelled, and
not voices, a frame that it clearly hears otherwise is left out: backing singers have no notes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from phonoscope_trainer.corpora import omnivad
from phonoscope_trainer.corpora.audio import read_sum
from phonoscope_trainer.corpora.corpus import Track
from phonoscope_trainer.corpora.features import Features, cache_folder
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.frontends.mel import FRONTEND
from phonoscope_trainer.writing import written_whole

TAUGHT_KIND = "silver"  # of recordings whose labels are a model's
NOTED_KIND = "songs"  # of recordings whose labels are the notes of their melody
CLEAR = (0.2, 0.8)  # a voice at or below the one, at or above the other
EVEN = 0.5
AROUND_FRAMES = 57  # .8 s
ARCHIVE = "teacher.npz"  # of a corpus that comes with the teacher's answers: file → uint8 [A, 2], voice and singing

# Probabilities `[T, 2]` of a voice, spoken or sung, and of singing, at every frame of samples `[N]`.
Teacher = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def _omnivad(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    speech, singing, _ = omnivad.probabilities(samples).T
    return np.stack([np.maximum(speech, singing), singing], axis=1)


TEACHERS: Mapping[str, Teacher] = {"omnivad": _omnivad}


def taught(track: Features, teacher: str) -> Features:
    """A track with what is learned of it under a teacher.

    Raises:
        CorpusError: as `answers`.
    """
    if track.track.kind not in (TAUGHT_KIND, NOTED_KIND):
        return track
    heard = soft_labels(track.track, teacher)[: len(track.labels)]
    if track.track.kind == TAUGHT_KIND:
        return replace(track, taught=heard)
    doubted = np.where(np.isnan(heard), track.labels, heard >= EVEN) != track.labels
    return replace(track, taught=np.where(doubted, np.nan, track.labels).astype(np.float32))


def soft_labels(track: Track, teacher: str) -> NDArray[np.float32]:
    """`[T]` the chance that each frame of a track is sung, NaN where the teacher is not to be learned from.

    Raises:
        CorpusError: as `answers`.
    """
    return learned(answers(track, teacher))


def answers(track: Track, teacher: str) -> NDArray[np.float32]:
    """`[T, 2]` what a teacher hears at each frame of a track, of a voice and of singing; from the cache or into it.

    Raises:
        CorpusError: there is no such teacher, it is not installed, or the audio cannot be read.
    """
    if teacher not in TEACHERS:
        raise CorpusError(f"no teacher is called {teacher!r}; there are {', '.join(TEACHERS)}")
    files = [(str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in track.audio]
    key = hashlib.sha256(repr((teacher, files)).encode()).hexdigest()[:32]
    path = cache_folder() / "teacher" / f"{key}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        heard = TEACHERS[teacher](read_sum(track.audio, FRONTEND.sample_rate_hz))
        with written_whole(path) as unfinished, unfinished.open("wb") as file:
            np.save(file, heard.astype(np.float16))
    return np.asarray(np.load(path), np.float32)


def archived(archive: Path, file: str, frames: int) -> NDArray[np.float32]:
    """As `soft_labels`, `[frames]`, from the answers of omnivad that a corpus comes with: no package is needed.

    Raises:
        CorpusError: the archive cannot be read or does not hold the file.
    """
    try:
        with np.load(archive, allow_pickle=False) as answers:
            heard = answers[file] / np.float32(255)
    except (OSError, ValueError, KeyError) as error:
        raise CorpusError(f"{archive}: holds no answers for {file}: {error}") from error
    return learned(omnivad.at_frames(heard, frames))


def learned(heard: NDArray[np.floating]) -> NDArray[np.float32]:
    """`[T]` the voice of answers `[T, 2]` (voice, singing), NaN where they do not agree with each other and around."""
    voice, singing = heard.T
    around = np.asarray(median_filter(voice, AROUND_FRAMES, mode="nearest"))
    agreed = (singing >= EVEN) == (voice >= EVEN)
    low, high = CLEAR
    clear = ((voice <= low) & (around <= low)) | ((voice >= high) & (around >= high))
    return np.where(agreed & clear, voice, np.nan).astype(np.float32)
