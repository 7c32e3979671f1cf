"""Noise of several colours, tones without music, clicks and silence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phonoscope_trainer.corpora.made_clips import SAMPLE_RATE_HZ

Floats = NDArray[np.float64]
LOWEST_HZ = 20.0  # of coloured noise: below, its spectrum is flat
HUM_DB = (-110.0, -75.0)  # of what is left when nothing plays, below full scale


def coloured(rng: np.random.Generator, samples: int, octave_db: float) -> Floats:
    """`[N]` noise whose power changes by so many decibels an octave: 0 white, -3 pink, -6 brown, +6 violet."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    hertz = np.maximum(np.fft.rfftfreq(samples, 1 / SAMPLE_RATE_HZ), LOWEST_HZ)
    slope = octave_db / (20 * np.log10(2))  # of the amplitude's exponent
    noise: Floats = np.fft.irfft(spectrum * (hertz / LOWEST_HZ) ** slope, samples)
    return noise


def band(rng: np.random.Generator, samples: int) -> Floats:
    """`[N]` noise of a band of a third of an octave to three octaves, as of wind, water or a machine."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    hertz = np.fft.rfftfreq(samples, 1 / SAMPLE_RATE_HZ)
    low_hz = float(np.exp(rng.uniform(np.log(60), np.log(3000))))
    high_hz = low_hz * 2 ** float(rng.uniform(1 / 3, 3))
    noise: Floats = np.fft.irfft(spectrum * ((hertz >= low_hz) & (hertz < high_hz)), samples)
    swell = 1 + float(rng.uniform(0, 0.9)) * np.sin(2 * np.pi * float(rng.uniform(0.1, 8)) * _time_s(samples))
    return noise * swell


def sweep(rng: np.random.Generator, samples: int) -> Floats:
    """`[N]` a sine that glides over two to six octaves, up or down, once or again and again."""
    low_hz = float(np.exp(rng.uniform(np.log(40), np.log(400))))
    octaves, turns_a_second = float(rng.uniform(2, 6)), float(np.exp(rng.uniform(np.log(0.1), np.log(3))))
    turn = (_time_s(samples) * turns_a_second + rng.random()) % 1
    glide = turn if rng.random() < 0.5 else 1 - turn
    hertz = np.minimum(low_hz * 2 ** (octaves * glide), 0.45 * SAMPLE_RATE_HZ)
    return np.sin(2 * np.pi * np.cumsum(hertz) / SAMPLE_RATE_HZ)


def beep(rng: np.random.Generator, samples: int) -> Floats:
    """`[N]` a steady sine, or one that is switched on and off, as of an alarm or a telephone."""
    hertz = float(np.exp(rng.uniform(np.log(150), np.log(5000))))
    tone = np.sin(2 * np.pi * hertz * _time_s(samples))
    if rng.random() < 0.5:
        tone = tone * (_time_s(samples) * float(rng.uniform(0.5, 8)) % 1 < float(rng.uniform(0.2, 0.8)))
    return tone


def clicks(rng: np.random.Generator, samples: int) -> Floats:
    """`[N]` single samples, 1 to 60 a second, evenly or at random."""
    a_second = float(np.exp(rng.uniform(np.log(1), np.log(60))))
    count = max(2, round(a_second * samples / SAMPLE_RATE_HZ))
    even = np.linspace(0, samples - 1, count, endpoint=False)
    places = (even if rng.random() < 0.5 else rng.uniform(0, samples - 1, count)).astype(int)
    sound = np.zeros(samples)
    sound[places] = rng.choice((-1.0, 1.0), count)
    return sound


def quiet(rng: np.random.Generator, samples: int) -> Floats:
    """`[N]` digital silence, or the noise of a recorder with nothing to record."""
    if rng.random() < 0.5:
        return np.zeros(samples)
    return 10 ** (float(rng.uniform(*HUM_DB)) / 20) * rng.standard_normal(samples)


def _time_s(samples: int) -> Floats:
    return np.arange(samples) / SAMPLE_RATE_HZ
