"""Small music made of sines and noise: enough for arithmetic, made in no time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def melody(seconds: float = 2.0, seed: int = 0, sample_rate_hz: int = 22050) -> NDArray[np.float32]:
    """`[N]` notes of eight harmonics over quiet noise, peak 0.5."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * sample_rate_hz)) / sample_rate_hz
    pitch = 220 * 2 ** (rng.integers(0, 13, int(seconds * 4) + 1) / 12)
    phase = 2 * np.pi * np.cumsum(pitch[(time * 4).astype(int)]) / sample_rate_hz
    tone = sum(np.sin(k * phase) / k for k in range(1, 9))
    samples = tone + 0.05 * rng.standard_normal(len(time))
    return (0.5 * samples / np.abs(samples).max()).astype(np.float32)
