"""MIR-1K (Hsu & Jang 2010): karaoke clips with true vocal and accompaniment stems, split by singer.

The authors' clips have the accompaniment in the left channel and the voice in the right, and a label every 20 ms;
`decode` brings them into the layout of `stems`. The labels mark the shortest pauses; `merge_gaps_s` closes them as
annotators of whole songs do. Training clips are labelled more finely, sung only where the voice sounds as well: a
detector that learns to call every pause sung misses the rests of a song.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
from tqdm import tqdm

from phonoscope_trainer.corpora import stems
from phonoscope_trainer.corpora.audio import read_mono
from phonoscope_trainer.corpora.corpus import Corpus, Split, Track
from phonoscope_trainer.corpora.labels import frame_labels, segments_of
from phonoscope_trainer.corpora.rendered.activity import RECORDED, sung_segments
from phonoscope_trainer.errors import CorpusError

LICENCE = "MIR-1K: research use"
HOW_TO_GET = (
    "Get MIR-1K.zip from http://mirlab.org/dataset/public/, unpack it (Wavfile/*.wav, vocal-nonvocalLabel/*.vocal) and "
    "run `phonoscope-train corpus decode --corpus mir1k --root MIR-1K`"
)
SAMPLE_RATE_HZ = 16_000
LABELS_PER_SECOND = 50
SOUNDING_PER_SECOND = 100
SINGERS: dict[Split, tuple[str, ...]] = {  # the others are for training
    "valid": ("abjones", "khair", "stool"),
    "test": ("annar", "bug", "tammy", "titon"),
}


def load(root: Path, merge_gaps_s: float = 0.5) -> Corpus:
    """The corpus under `root`, in the layout of `stems`.

    Raises:
        CorpusError: a file is missing or is not audio; the message says which.
    """
    try:
        tracks = stems.read_tracks(root, merge_gaps_s)
        return Corpus("mir1k", LICENCE, tuple(_sounding(t) if t.split == "train" else t for t in tracks))
    except CorpusError as error:
        raise CorpusError(f"MIR-1K: {error}. {HOW_TO_GET}") from error


def decode(source: Path, root: Path) -> Corpus:
    """Take the authors' files in `source` apart into `root`, going on where an earlier call stopped.

    Raises:
        CorpusError: there are no clips, or a clip has no labels or not two channels.
    """
    clips = sorted((source / "Wavfile").glob("*.wav"))
    if not clips:
        raise CorpusError(f"MIR-1K: {source} has no Wavfile/*.wav. {HOW_TO_GET}")
    for path in tqdm(clips, unit="clip"):
        if not stems.is_written(root, path.stem):
            _decode_clip(path, source / "vocal-nonvocalLabel" / f"{path.stem}.vocal", root)
    stems.write_listing(root, [(path.stem, *_singer_and_split(path.stem)) for path in clips])
    return load(root)


def _sounding(track: Track) -> Track:
    """The clip, sung where its labels say so and its voice sounds."""
    assert track.voice is not None
    voice = read_mono(track.voice, SAMPLE_RATE_HZ).astype(np.float64)
    heard = (track.vocals, sung_segments(voice, SAMPLE_RATE_HZ, RECORDED))
    frames = len(voice) * SOUNDING_PER_SECOND // SAMPLE_RATE_HZ
    annotated, sounds = (frame_labels(segments, frames, SOUNDING_PER_SECOND) for segments in heard)
    return replace(track, vocals=segments_of(annotated & sounds, SOUNDING_PER_SECOND))


def _decode_clip(path: Path, label_file: Path, root: Path) -> None:
    if not label_file.is_file():
        raise CorpusError(f"MIR-1K: {label_file} is missing. {HOW_TO_GET}")
    samples, sample_rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    if samples.shape[1] != 2:
        raise CorpusError(f"{path}: needs 2 channels, has {samples.shape[1]}")
    accompaniment, voice = samples.T
    sung = np.array(label_file.read_text(encoding="ascii").split(), float) > 0
    stems.write_clip(root, path.stem, voice, accompaniment, segments_of(sung, LABELS_PER_SECOND), sample_rate_hz)


def _singer_and_split(clip: str) -> tuple[str, Split]:
    """Of a clip called SINGER_SONG_CLIP."""
    singer = clip.split("_", 1)[0]
    return singer, next((split for split, singers in SINGERS.items() if singer in singers), "train")
