"""The stretches of a recording in which somebody sings, or that have another label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from phonoscope_client.results.curve import Curve


@dataclass(frozen=True)
class Passage:
    """A stretch of one label, such as that somebody sings, in seconds of the recording."""

    start_s: float
    stop_s: float


def vocal_passages(curve: Curve, *, smoothing_s: float = 0.8) -> list[Passage]:
    """Where the running median of the curve is at or above its threshold.

    Args:
        curve: of a whole recording; its end values are repeated beyond its ends.
        smoothing_s: length of the median's window, rounded to an odd number of frames; 0.8 s is what the
            detector was judged with (Schlüter & Grill 2015).
    """
    sings = curve.called
    if not len(sings):
        return []
    half = round(smoothing_s * curve.frames_per_second) // 2
    # With an odd window the median reaches the threshold exactly where most of its frames do.
    counts = np.cumsum(np.pad(np.pad(sings, half, mode="edge").astype(np.int64), (1, 0)))
    most = 2 * (counts[2 * half + 1 :] - counts[: len(sings)]) > 2 * half + 1
    edges = np.flatnonzero(np.diff(np.pad(most, 1).astype(np.int8)))
    return [
        Passage(float(start) / curve.frames_per_second, float(stop) / curve.frames_per_second)
        for start, stop in edges.reshape(-1, 2)
    ]
