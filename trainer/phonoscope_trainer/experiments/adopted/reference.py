"""musicnn's `MTT_vgg` in plain NumPy, float64, from its checkpoint's own arrays: what adopting must not change."""

from __future__ import annotations

import librosa
import numpy as np
from numpy.typing import NDArray

from phonoscope_trainer.networks.musicnn import EPSILON, POOLS, Arrays

Floats = NDArray[np.float64]


def tags(samples: NDArray[np.float32], arrays: Arrays) -> Floats:
    """Probability of each tag, `[50]`, of the `[N]` samples of one excerpt at 16 kHz."""
    return 1 / (1 + np.exp(-log_odds(frontend(samples), arrays)))


def frontend(samples: NDArray[np.float32]) -> Floats:
    """`[T, 96]` of samples, from whole frames alone; librosa's filters, the rest as it is defined."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(512) / 512)
    frames = np.stack([samples[start : start + 512] for start in range(0, len(samples) - 511, 256)])
    energy = np.abs(np.fft.rfft(frames.astype(float) * window)) ** 2
    mel = energy @ librosa.filters.mel(sr=16_000, n_fft=512, n_mels=96).astype(float).T
    return np.asarray(np.log10(10_000 * mel.astype(np.float16).astype(float) + 1))


def log_odds(picture: Floats, arrays: Arrays) -> Floats:
    """`[50]` of a picture `[187, 96]`."""
    x = _normalised(picture[:, :, None], arrays, "batch_normalization")
    for number, (size, step) in enumerate(POOLS, start=1):
        x = _convolved(x, arrays[f"{number}CNN/kernel"], arrays[f"{number}CNN/bias"])
        x = _normalised(np.maximum(x, 0), arrays, f"batch_normalization_{number}")
        x = _pooled(x, size, step)
    return np.asarray(x.ravel() @ arrays["dense/kernel"].astype(float) + arrays["dense/bias"])


def _normalised(x: Floats, arrays: Arrays, name: str) -> Floats:
    mean, variance, gamma, beta = (
        arrays[f"{name}/{part}"].astype(float) for part in ("moving_mean", "moving_variance", "gamma", "beta")
    )
    return np.asarray((x - mean) / np.sqrt(variance + EPSILON) * gamma + beta)


def _convolved(x: Floats, kernel: NDArray[np.float32], bias: NDArray[np.float32]) -> Floats:
    """3 × 3, zeros around `x` `[T, M, C]`; the kernel is `[3, 3, C, O]`."""
    around = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    rows, columns = x.shape[:2]
    total = np.zeros((rows, columns, kernel.shape[3])) + bias
    for i in range(3):
        for j in range(3):
            total += around[i : i + rows, j : j + columns] @ kernel[i, j].astype(float)
    return total


def _pooled(x: Floats, size: tuple[int, int], step: tuple[int, int]) -> Floats:
    """The largest of each whole pool of `x` `[T, M, C]`."""
    rows, columns = (1 + (x.shape[axis] - size[axis]) // step[axis] for axis in (0, 1))
    found = np.empty((rows, columns, x.shape[2]))
    for t in range(rows):
        for m in range(columns):
            pool = x[t * step[0] : t * step[0] + size[0], m * step[1] : m * step[1] + size[1]]
            found[t, m] = pool.max(axis=(0, 1))
    return found
