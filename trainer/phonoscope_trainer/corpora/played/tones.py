"""Sounds of an oscillator alone: whistles, theremins and sirens, as harmonics of a moving pitch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from phonoscope_trainer.corpora.made_clips import SAMPLE_RATE_HZ
from phonoscope_trainer.corpora.played.swaying import CONTROL_RATE_HZ, sway

Floats = NDArray[np.float64]


def siren(rng: np.random.Generator, duration_s: float) -> Floats:
    """`[N]` samples of a siren: two tones, or a sweep that wails or yelps."""
    time_s = np.arange(round(duration_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    low_hz, ratio = float(rng.uniform(350, 900)), float(rng.uniform(1.15, 2.8))
    turn = time_s * float(np.exp(rng.uniform(np.log(0.15), np.log(6)))) + rng.random()  # turns there and back
    shape = str(rng.choice(("two tones", "sine", "triangle", "rise")))
    there = {
        "two tones": (turn % 1 < 0.5).astype(float),
        "sine": 0.5 + 0.5 * np.sin(2 * np.pi * turn),
        "triangle": 2 * np.abs(turn % 1 - 0.5),
        "rise": turn % 1,
    }[shape]
    return _harmonics(rng, low_hz * ratio**there)


def tone(rng: np.random.Generator, duration_s: float) -> Floats:
    """`[N]` samples of a melody that glides from note to note and sways."""
    steps = int(duration_s * CONTROL_RATE_HZ) + 1
    notes = 60 + 12 * float(rng.uniform(-1, 2)) + rng.choice((0, 2, 4, 5, 7, 9, 11, 12), steps)
    note_s = float(rng.uniform(0.2, 1.5))
    pitch = notes[(np.arange(steps) / CONTROL_RATE_HZ / note_s).astype(int)]
    glide_s = float(rng.uniform(0.005, 0.15))
    semitones = gaussian_filter1d(pitch, glide_s * CONTROL_RATE_HZ) + sway(rng, duration_s)[:steps]
    at = np.arange(round(duration_s * SAMPLE_RATE_HZ)) * (CONTROL_RATE_HZ / SAMPLE_RATE_HZ)
    return _harmonics(rng, 440 * 2 ** ((np.interp(at, np.arange(steps), semitones) - 69) / 12))


def _harmonics(rng: np.random.Generator, hertz: Floats) -> Floats:
    """A tone whose harmonics fall off by some slope, none above half the rate."""
    phase = 2 * np.pi * np.cumsum(hertz) / SAMPLE_RATE_HZ
    slope, odd = float(rng.uniform(0.5, 3)), bool(rng.random() < 0.3)
    total = np.zeros_like(hertz)
    for harmonic in range(1, int(rng.integers(2, 13)), 2 if odd else 1):
        total += np.sin(harmonic * phase) * harmonic**-slope * (harmonic * hertz < SAMPLE_RATE_HZ / 2)
    return total
