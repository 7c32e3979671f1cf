"""Sounds that try a detector: songs with their stems, instruments with vibrato, voice-like patches, noise."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count, islice

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from tqdm import tqdm

from phonoscope_trainer.corpora.audio import read_mono
from phonoscope_trainer.corpora.corpus import Corpus, Segment
from phonoscope_trainer.corpora.rendered import RenderOptions, render_song
from phonoscope_trainer.corpora.rendered.form import Form
from phonoscope_trainer.corpora.rendered.harmony import Key
from phonoscope_trainer.corpora.rendered.notes import Note, Part
from phonoscope_trainer.corpora.rendered.soundfont import render_part
from phonoscope_trainer.corpora.rendered.styles import STYLES
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.frontends.mel import FRONTEND

Samples = NDArray[np.float32]
SONG_S = 30.0
SOLO_DB = -20.0  # root mean square of an instrument alone, below full scale
SEED = 1_100_101  # of rendered songs; no corpus has it, so no training heard them
# General MIDI programs, from 0.
SOLOISTS = {"violin": 40, "cello": 42, "trumpet": 56, "tenor sax": 66, "oboe": 68, "clarinet": 71, "flute": 73}
VOICE_LIKE = {"choir aahs": 52, "voice oohs": 53, "synth voice": 54, "voice lead": 85, "choir pad": 91}
MELODY_STEPS = (0, 2, 4, 3, 1, 2, 5, 4)  # of the major scale, one a second


@dataclass(frozen=True, slots=True)
class StemSong:
    """A song whose voice and accompaniment `[N]` are known apart, both at the front-end's rate."""

    name: str
    voice: Samples = field(repr=False)
    accompaniment: Samples = field(repr=False)
    vocals: tuple[Segment, ...] = field(repr=False)


def rendered(songs: int, seconds: float = SONG_S) -> list[StemSong]:
    """So many songs made from nothing, in each of which somebody sings and somebody plays."""
    options = RenderOptions(shortest_s=seconds, longest_s=seconds, sample_rate_hz=FRONTEND.sample_rate_hz)
    drawn = ((index, render_song(SEED, index, options)) for index in count())
    usable = (
        StemSong(f"song {index}", song.voice, song.accompaniment, song.vocals)
        for index, song in drawn
        if song.vocals and song.accompaniment.any()
    )
    return list(tqdm(islice(usable, songs), total=songs, desc="rendering", unit="song"))


def of_corpus(corpus: Corpus, songs: int) -> list[StemSong]:
    """So many songs of a corpus' test split, evenly spread over it; fewer where it has no more.

    Raises:
        CorpusError: no track of that split has stems.
    """
    sung = [track for track in corpus.of("test") if track.accompaniment is not None and track.vocals]
    if not sung:
        raise CorpusError(f"{corpus.name}: no track of the test split has a voice and an accompaniment apart")
    chosen = []
    for at in np.unique(np.linspace(0, len(sung) - 1, songs).astype(int)):
        voice, accompaniment = (read_mono(path, FRONTEND.sample_rate_hz) for path in sung[at].audio)
        samples = min(len(voice), len(accompaniment))
        chosen.append(StemSong(sung[at].name, voice[:samples], accompaniment[:samples], sung[at].vocals))
    return chosen


def solo(program: int) -> Samples:
    """An instrument alone: eight notes of a second each, then their chords."""
    key, seconds = Key(0, "major"), 2 * len(MELODY_STEPS)
    notes = [Note(i, 0.95, key.pitch(step), 100) for i, step in enumerate(MELODY_STEPS)]
    for i, step in enumerate(MELODY_STEPS, start=len(MELODY_STEPS)):
        notes += [Note(i, 0.95, key.pitch(step + third), 90) for third in (0, 2, 4)]
    form = Form(STYLES[0], tempo_bpm=60.0, beats_per_bar=4, swing=0.0, key=key, duration_s=seconds, sections=())
    part = Part("lead", program, tuple(notes), "sustain")
    samples = render_part(np.random.default_rng(0), form, part)
    return np.asarray(samples * (gain(SOLO_DB) / root_mean_square(samples)), np.float32)


def vibrato(samples: Samples, depth_semitones: float, rate_hz: float) -> Samples:
    """`[N]` float32 samples whose pitch swings by ± `depth_semitones`, `rate_hz` times a second.

    Playing at speed 2^(d·sin(2π·r·t) / 12) is reading at times that integrate it; here to first order in d.
    """
    time_s = np.arange(len(samples)) / FRONTEND.sample_rate_hz
    swing_s = np.log(2) / 12 * depth_semitones * (1 - np.cos(2 * np.pi * rate_hz * time_s)) / (2 * np.pi * rate_hz)
    read_at = (time_s + swing_s) * FRONTEND.sample_rate_hz
    return np.asarray(map_coordinates(samples, read_at[None], order=3, mode="nearest"), np.float32)


def noise(colour: str, samples: int, seed: int) -> Samples:
    """`[N]` float32 noise of unit power: `white`, or `pink` with 3 dB less an octave above 20 Hz."""
    rng = np.random.default_rng(seed)
    white = rng.standard_normal(samples)
    if colour == "white":
        return white.astype(np.float32)
    hertz = np.fft.rfftfreq(samples, 1 / FRONTEND.sample_rate_hz)
    pink = np.fft.irfft(np.fft.rfft(white) / np.sqrt(np.maximum(hertz, 20)), samples)
    return np.asarray(pink / pink.std(), np.float32)


def root_mean_square(samples: NDArray[np.floating]) -> float:
    """The level of samples, 1 at full scale."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def gain(decibels: float) -> float:
    """The factor of amplitude that is so many decibels."""
    return float(10 ** (decibels / 20))
