"""MUSDB18 (Rafii et al. 2017): 150 songs with their stems, read through musdb.

Both editions are understood, the compressed one (`train/NAME.stem.mp4`) and MUSDB18-HQ (`train/NAME/vocals.wav`, ...).
`decode` turns them once into the layout of `stems`: a song is sung where its vocal stem sounds.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from phonoscope_trainer.corpora import stems
from phonoscope_trainer.corpora.corpus import Corpus, Split
from phonoscope_trainer.corpora.optional_package import optional_package
from phonoscope_trainer.corpora.rendered.activity import RECORDED, sung_segments
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.frontends.mel import FRONTEND

LICENCE = "MUSDB18: academic use; per song as its authors state"
HOW_TO_GET = (
    "Get MUSDB18 or MUSDB18-HQ from https://sigsep.github.io/datasets/musdb.html, unpack it (train/ and test/ with "
    "NAME.stem.mp4 or NAME/vocals.wav), and run `phonoscope-train corpus decode --corpus musdb --root FOLDER`"
)


def load(root: Path) -> Corpus:
    """The decoded corpus under `root`, in the layout of `stems`.

    Raises:
        CorpusError: a file is missing; the message says which.
    """
    try:
        return Corpus("musdb18", LICENCE, stems.read_tracks(root))
    except CorpusError as error:
        raise CorpusError(f"MUSDB18: {error}. {HOW_TO_GET}") from error


def decode(source: Path, root: Path) -> Corpus:
    """Decode the songs in `source` into `root`, going on where an earlier call stopped.

    Raises:
        CorpusError: musdb or ffmpeg is not installed, there are no songs, or one cannot be decoded.
    """
    database = _database(source)
    for song in tqdm(database.tracks, unit="song"):
        if not stems.is_written(root, song.name):
            _decode_song(song, root)
    validation = set(database.setup["validation_tracks"])
    stems.write_listing(root, [(song.name, song.name, _split(song, validation)) for song in database.tracks])
    return load(root)


def _database(source: Path) -> Any:  # noqa: ANN401 - musdb has no types
    """The songs in `source`, as musdb finds them."""
    missing = [program for program in ("ffmpeg", "ffprobe") if shutil.which(program) is None]
    if missing:
        raise CorpusError(f"MUSDB18: musdb decodes with {' and '.join(missing)}: not installed, or not on the PATH")
    musdb, ffmpeg = optional_package("musdb"), optional_package("ffmpeg")
    is_wav = any(source.glob("*/*/mixture.wav"))
    try:
        database = musdb.DB(root=str(source), is_wav=is_wav, sample_rate=FRONTEND.sample_rate_hz)
    except ffmpeg.Error as error:
        reason = error.stderr.decode(errors="replace").strip().splitlines()[-1]  # after pages about the program itself
        raise CorpusError(f"MUSDB18: ffprobe: {reason}") from error
    if not database.tracks:
        raise CorpusError(f"MUSDB18: {source} holds no songs in train/ or test/. {HOW_TO_GET}")
    return database


def _decode_song(song: Any, root: Path) -> None:  # noqa: ANN401 - musdb has no types
    missing = [source for source in ("vocals", "drums", "bass", "other") if source not in song.sources]
    if missing:
        raise CorpusError(f"MUSDB18: {song.name} has no stem {missing[0]}. {HOW_TO_GET}")
    voice, accompaniment = (_decoded(song, part) for part in ("vocals", "accompaniment"))
    vocals = sung_segments(voice.astype(np.float64), FRONTEND.sample_rate_hz, RECORDED)
    stems.write_clip(root, song.name, voice, accompaniment, vocals, FRONTEND.sample_rate_hz)


def _decoded(song: Any, part: str) -> NDArray[np.float32]:  # noqa: ANN401 - musdb has no types
    """`[N]` mean of the channels of one part of a song."""
    try:
        samples: NDArray[np.float64] = np.asarray(song.targets[part].audio, np.float64)
    except (RuntimeError, ValueError, Warning) as error:  # stempeg raises warnings as errors
        raise CorpusError(f"MUSDB18: {song.name}: {part} cannot be decoded: {error}") from error
    if samples.ndim != 2 or not len(samples):
        raise CorpusError(f"MUSDB18: {song.name}: {part} holds no samples")
    mono: NDArray[np.float32] = samples.mean(axis=1).astype(np.float32)
    return mono


def _split(song: Any, validation: set[str]) -> Split:  # noqa: ANN401 - musdb has no types
    """The official split; musdb sets 14 of the training songs aside for validation."""
    if song.subset == "test":
        return "test"
    return "valid" if song.name in validation else "train"
