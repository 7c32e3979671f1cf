"""Kinds of foreign sound by name, made from a seed; some are music that something was done to."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import soxr
from numpy.typing import NDArray

from phonoscope_trainer.corpora.foreign import animals, noises
from phonoscope_trainer.corpora.made_clips import SAMPLE_RATE_HZ
from phonoscope_trainer.corpora.played.tones import siren
from phonoscope_trainer.corpora.rendered.lyrics import LANGUAGES
from phonoscope_trainer.corpora.rendered.speech import speak
from phonoscope_trainer.corpora.speech.store import said
from phonoscope_trainer.corpora.speech.synthesisers import installed

Samples = NDArray[np.float32]
Floats = NDArray[np.float64]
Make = Callable[[np.random.Generator, int], Floats]  # so many samples
Change = Callable[[np.random.Generator, Floats], Floats]  # of music

DURATION_S = 8.0
PEAK_DB = (-30.0, 0.0)  # of a sound, below full scale
NARROW_HZ = 8_000  # the sample rate of a telephone: nothing is left above half of it
LINES, WORDS_OF_A_LINE = 4, 6  # that are whispered
DRIVE_DB = (20.0, 36.0)  # over full scale, of music that is clipped


@dataclass(frozen=True, slots=True)
class Kind:
    """How sounds of one kind come about: either from nothing, or from music."""

    make: Make | None = None
    change: Change | None = None
    is_levelled: bool = True  # played at some level; else as it is


def _speech(synthesiser: str, rng: np.random.Generator, samples: int) -> Floats:
    spoken = said(rng, synthesiser)
    voice = soxr.resample(spoken.samples, spoken.sample_rate_hz, SAMPLE_RATE_HZ)
    return np.resize(voice, samples)  # from the start again where it is short


def _whisper(rng: np.random.Generator, samples: int) -> Floats:
    """Lines in a voice of eSpeak NG's that whispers by itself; its breath is no seed's, and another every time."""
    language = LANGUAGES[str(rng.choice(list(LANGUAGES)))]
    text = ", ".join(" ".join(rng.choice(language.words, WORDS_OF_A_LINE)) for _ in range(LINES))
    spoken = speak(
        text,
        f"{rng.choice(language.voices)}+whisper",
        words_per_minute=int(rng.integers(125, 230)),
        pitch=int(rng.integers(15, 85)),
        pitch_range=int(rng.integers(30, 95)),
    )
    return np.resize(soxr.resample(spoken.samples, spoken.sample_rate_hz, SAMPLE_RATE_HZ), samples)


def _siren(rng: np.random.Generator, samples: int) -> Floats:
    return siren(rng, samples / SAMPLE_RATE_HZ)


def _noise(octave_db: float, rng: np.random.Generator, samples: int) -> Floats:
    return noises.coloured(rng, samples, octave_db)


def _narrow(_: np.random.Generator, music: Floats) -> Floats:
    narrow = soxr.resample(soxr.resample(music, SAMPLE_RATE_HZ, NARROW_HZ), NARROW_HZ, SAMPLE_RATE_HZ)
    return np.resize(narrow, len(music))


def _clipped(rng: np.random.Generator, music: Floats) -> Floats:
    peak = max(float(np.abs(music).max(initial=0)), 1e-6)
    return np.clip(music / peak * 10 ** (float(rng.uniform(*DRIVE_DB)) / 20), -1, 1)


KINDS: Mapping[str, Kind] = {
    **{f"speech ({name})": Kind(partial(_speech, name)) for name in ("espeak-ng", "flite", "festival")},
    "whisper": Kind(_whisper),
    "white noise": Kind(partial(_noise, 0.0)),
    "pink noise": Kind(partial(_noise, -3.0)),
    "brown noise": Kind(partial(_noise, -6.0)),
    "violet noise": Kind(partial(_noise, 6.0)),
    "band of noise": Kind(noises.band),
    "sweeps": Kind(noises.sweep),
    "beeps": Kind(noises.beep),
    "clicks": Kind(noises.clicks),
    "sirens": Kind(_siren),
    "birds": Kind(animals.birds),
    "crickets": Kind(animals.crickets),
    "barks": Kind(animals.barks),
    "croaks": Kind(animals.croaks),
    "silence": Kind(noises.quiet, is_levelled=False),
    "music at 8 kHz": Kind(change=_narrow, is_levelled=False),
    "clipped music": Kind(change=_clipped, is_levelled=False),
}
MUSICAL = tuple(name for name, kind in KINDS.items() if kind.change)


def made_here() -> tuple[str, ...]:
    """The kinds that this machine can make: a synthesiser of speech may be missing."""
    speakers = {f"speech ({name})" for name in installed()}
    return tuple(name for name in KINDS if not name.startswith("speech") or name in speakers)


def foreign_sound(kind: str, seed: int, number: int, music: NDArray[np.floating] | None = None) -> Samples:
    """`[N]` the `number`-th sound of a kind that `seed` gives, 8 s at 22 050 Hz; as long as `music` where it is that.

    Args:
        kind: one of `KINDS`.
        seed: another one, other sounds.
        number: from 0.
        music: `[N]` at 22 050 Hz, what those kinds of `MUSICAL` are made from.

    Raises:
        CorpusError: the synthesiser of a kind of speech does not speak.
    """
    how, rng = KINDS[kind], np.random.default_rng([seed, zlib.crc32(kind.encode()), number])
    if how.make:
        sound = how.make(rng, round(DURATION_S * SAMPLE_RATE_HZ))
    else:
        assert how.change is not None
        assert music is not None
        sound = how.change(rng, music.astype(np.float64))
    if not how.is_levelled:
        return sound.astype(np.float32)
    peak = max(float(np.abs(sound).max(initial=0)), 1e-9)
    return (sound / peak * 10 ** (float(rng.uniform(*PEAK_DB)) / 20)).astype(np.float32)
