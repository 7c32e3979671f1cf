"""Copies of a corpus as it sounds after it was clipped, played at a low sample rate and coded at a low bit rate.

A codec works on waveforms, frame after frame, so nothing on magnitudes stands for it: copies are made once and learned
from as the layout of `folder`, with splits, groups and licence of what they are copies of.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import soxr
from numpy.typing import NDArray
from tqdm import tqdm

from phonoscope_trainer.corpora import folder
from phonoscope_trainer.corpora.audio import read_sum, write_flac
from phonoscope_trainer.corpora.corpus import Corpus, Split, Track
from phonoscope_trainer.corpora.labels import write_lab
from phonoscope_trainer.writing import written_whole

KIND = "degraded"
SAMPLE_RATE_HZ = 22_050
CLIPPED_SHARE = 0.3
DRIVE_DB = (3.0, 15.0)  # of what is clipped, over full scale
BLOCK_SAMPLES = 4096  # handed to an encoder at once

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Coding:
    """A way of FFmpeg's to code audio, with the sample rates and the bit rates that are drawn from."""

    codec: str
    container: str
    sample_rates_hz: tuple[int, ...]
    kilobits: tuple[int, int]


CODINGS = (
    Coding("libmp3lame", "mp3", (8_000, 11_025, 16_000, 22_050), (16, 48)),
    Coding("libopus", "ogg", (8_000, 12_000, 16_000, 24_000), (6, 24)),
    Coding("pcm_mulaw", "wav", (8_000, 11_025), (64, 64)),  # telephones; its bit rate follows from the sample rate
)


def degrade(corpus: Corpus, root: Path, splits: Sequence[Split], seed: int = 0, progress: bool = True) -> Corpus:
    """A degraded copy of each track of some splits in `root`, going on where an earlier call stopped.

    Raises:
        CorpusError: the audio of a track cannot be read.
    """
    tracks = [track for split in splits for track in corpus.of(split)]
    root.mkdir(parents=True, exist_ok=True)
    # First, so that a corpus that was stopped is in its splits as far as it goes.
    _write_manifest(root, tracks, corpus.licence)
    for number, track in enumerate(tqdm(tracks, desc="degraded", unit="track", disable=not progress)):
        place = root / _file(track)
        if not place.is_file():
            place.parent.mkdir(parents=True, exist_ok=True)
            samples = degraded(read_sum(track.audio, SAMPLE_RATE_HZ), np.random.default_rng([seed, number]))
            write_lab(place.with_suffix(".lab"), track.vocals or (), len(samples) / SAMPLE_RATE_HZ)
            write_flac(place, samples, SAMPLE_RATE_HZ)
    return folder.load(root)


def degraded(samples: Samples, rng: np.random.Generator) -> Samples:
    """`[N]` samples at 22 050 Hz after a chain of faults, as long and as loud at their peak as before."""
    peak = max(float(np.abs(samples).max(initial=0)), 1e-6)
    driven = samples / peak
    if rng.random() < CLIPPED_SHARE:
        driven = driven * 10 ** (float(rng.uniform(*DRIVE_DB)) / 20)
        driven = np.tanh(driven) if rng.random() < 0.5 else np.clip(driven, -1, 1)
    coding = CODINGS[int(rng.integers(len(CODINGS)))]
    rate = int(rng.choice(coding.sample_rates_hz))
    kilobits = int(rng.integers(*coding.kilobits, endpoint=True))
    played = coded(soxr.resample(driven, SAMPLE_RATE_HZ, rate), rate, coding, kilobits)
    heard = soxr.resample(played, rate, SAMPLE_RATE_HZ)
    heard = np.pad(heard[: len(samples)], (0, max(0, len(samples) - len(heard))))
    return np.asarray(peak * np.clip(heard, -1, 1), np.float32)


def coded(samples: Samples, sample_rate_hz: int, coding: Coding, kilobits: int) -> Samples:
    """What a decoder gives back of `samples` `[N]`, to within a frame of the codec at the end."""
    file = io.BytesIO()
    with av.open(file, "w", format=coding.container) as output:
        stream = output.add_stream(coding.codec, rate=sample_rate_hz, layout="mono")
        assert isinstance(stream, av.AudioStream)
        stream.bit_rate = 1000 * kilobits
        for first in range(0, len(samples), BLOCK_SAMPLES):
            block = np.ascontiguousarray(samples[None, first : first + BLOCK_SAMPLES], np.float32)
            frame = av.AudioFrame.from_ndarray(block, format="flt", layout="mono")
            frame.sample_rate = sample_rate_hz
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    file.seek(0)
    with av.open(file, "r") as played:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=sample_rate_hz)
        frames = [part for frame in played.decode(audio=0) for part in resampler.resample(frame)]
        frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def _write_manifest(root: Path, tracks: Sequence[Track], licence: str) -> None:
    rows = [(_file(track), track.split, track.group, licence, KIND) for track in tracks]
    with written_whole(root / "manifest.csv") as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("file", "split", "group", "licence", "kind"), *rows])


def _file(track: Track) -> str:
    return f"{track.name}.flac"
