"""How the pitch of a sound sways: vibrato of any depth, from the first moment or after a while, slides and drift."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, map_coordinates

CONTROL_RATE_HZ = 200
STEADY_SHARE = 0.2  # of sounds that do not sway
DEEPEST_SEMITONES = 2.0
RATE_HZ = (3.0, 9.0)
ONSET_S = (0.0, 0.5)  # in which vibrato grows, again and again
DRIFT_SEMITONES = 0.2

Floats = NDArray[np.float64]


def sway(rng: np.random.Generator, duration_s: float) -> Floats:
    """`[T]` semitones at `CONTROL_RATE_HZ`: one player's vibrato, whose depth and rate wander."""
    steps = int(duration_s * CONTROL_RATE_HZ) + 1
    if rng.random() < STEADY_SHARE:
        return np.zeros(steps)
    depth = DEEPEST_SEMITONES * float(rng.beta(1.0, 1.6)) * np.exp(0.15 * _wander(rng, steps))
    rate_hz = float(rng.uniform(*RATE_HZ)) * np.exp(0.06 * _wander(rng, steps))
    phase = 2 * np.pi * np.cumsum(rate_hz) / CONTROL_RATE_HZ
    return depth * _growth(rng, steps) * np.sin(phase) + DRIFT_SEMITONES * float(rng.random()) * _wander(rng, steps)


def played_with(samples: NDArray[np.floating], semitones: Floats, sample_rate_hz: int) -> Floats:
    """`[N]` samples read at a speed of 2^(semitones / 12), so that their pitch sways; as many as there were."""
    at_s = np.arange(len(samples)) / sample_rate_hz
    speed = 2 ** (np.interp(at_s, np.arange(len(semitones)) / CONTROL_RATE_HZ, semitones) / 12)
    read_at = np.cumsum(speed) - speed[0]
    return np.asarray(map_coordinates(np.asarray(samples, float), read_at[None], order=3, mode="nearest"))


def _growth(rng: np.random.Generator, steps: int) -> Floats:
    """`[T]` from 0 to 1: vibrato that begins anew with every note of one to three seconds, or lasts."""
    onset_s, note_s = float(rng.uniform(*ONSET_S)), float(rng.uniform(1, 3))
    if rng.random() < 0.5:
        return np.ones(steps)
    since_s = np.arange(steps) / CONTROL_RATE_HZ % note_s
    return np.clip(since_s / max(onset_s, 1 / CONTROL_RATE_HZ), 0, 1)


def _wander(rng: np.random.Generator, steps: int) -> Floats:
    """`[T]` slow noise of about unit power."""
    slow = gaussian_filter1d(rng.standard_normal(steps), 0.3 * CONTROL_RATE_HZ, mode="wrap")
    return np.asarray(slow / (slow.std() + 1e-9))
