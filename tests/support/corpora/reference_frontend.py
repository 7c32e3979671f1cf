"""The front-end's definition, written out slowly in float64 (Schlüter & Grill 2015, section 3.1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def reference_triangles() -> NDArray[np.float64]:
    """80 triangles of height 1 between 82 peaks equally spaced in mel, over 513 bins."""
    to_mel, to_hz = (lambda hz: 1127 * np.log(1 + hz / 700)), (lambda mel: 700 * (np.exp(mel / 1127) - 1))
    peaks = [to_hz(to_mel(27.5) + i * (to_mel(8000.0) - to_mel(27.5)) / 81) for i in range(82)]
    bank = np.zeros((513, 80))
    for band in range(80):
        left, centre, right = peaks[band : band + 3]
        for fft_bin in range(513):
            hz = fft_bin * 22050 / 1024
            if left < hz <= centre:
                bank[fft_bin, band] = (hz - left) / (centre - left)
            elif centre < hz < right:
                bank[fft_bin, band] = (right - hz) / (right - centre)
    return bank


def reference_filterbank() -> NDArray[np.float64]:
    """The triangles, each divided by the sum of its own bins."""
    bank = reference_triangles()
    return bank / bank.sum(axis=0)


def reference_log_mel(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Frame by frame: symmetric Hann window, magnitude of the Fourier transform, filterbank, floor, logarithm."""
    bank, frames = reference_filterbank(), []
    for start in range(0, len(samples) - 1024 + 1, 315):
        magnitude = np.abs(np.fft.rfft(samples[start : start + 1024].astype(np.float64) * np.hanning(1024)))
        frames.append(np.log(np.maximum(magnitude @ bank, 1e-7)))
    return np.array(frames)
