"""How an explanation is tried, written out slowly: which regions chance draws, and how a region sounds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from phonoscope_trainer.graphs.control_regions import CONTROLS, field_ranks

from support.corpora.reference_frontend import reference_triangles

RANKS = field_ranks().numpy()
FRAMES, BANDS = 115, 80


def reference_control_regions(seed: int, bins: int) -> list[NDArray[np.bool_]]:
    """Regions of so many bins by a sort; Python's whole numbers have no limit, so that an overflow in a graph shows."""

    def following(state: int) -> int:
        return (state * 7213 + 12345) % 512**2

    state, found = following(following(seed % 512**2)), []
    for _ in range(CONTROLS):
        frame = following(state)
        state = following(frame)
        crop = np.roll(RANKS, (-(frame // 512), -(state // 512)), axis=(0, 1))[:FRAMES, :BANDS]
        order = crop.ravel().argsort()
        inside = np.zeros(FRAMES * BANDS, bool)
        inside[order[len(order) - bins :]] = True
        found.append(inside.reshape(FRAMES, BANDS))
    return found


def reference_sound(samples: NDArray[np.float32], region: NDArray[np.bool_], outside_db: float) -> NDArray[np.float32]:
    """Samples `[N]` with what lies outside a region `[T, M]` made softer, frame by frame, bin by bin, in float64."""
    triangles, window, outside = reference_triangles(), np.hanning(1024), 10 ** (-outside_db / 20)
    sound, weight = np.zeros(len(samples)), np.zeros(len(samples))
    for frame in range(FRAMES):
        place = slice(315 * frame, 315 * frame + 1024)
        spectrum = np.fft.rfft(samples[place].astype(np.float64) * window)
        for fft_bin in range(513):
            hearing = triangles[fft_bin]  # how much each band hears of this bin
            inside = np.average(region[frame], weights=hearing) if hearing.any() else 0
            spectrum[fft_bin] *= inside + (1 - inside) * outside
        sound[place] += np.fft.irfft(spectrum) * window
        weight[place] += window**2
    return (sound / np.maximum(weight, 1e-3 * weight.max())).astype(np.float32)
