"""Segments of a curve as it arrives: each is told once nothing that is yet to come can move its end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from phonoscope_client.results.parts import Floats, is_vocal
from phonoscope_client.results.segments import Segment

Part = Mapping[str, Any]


class Segments:
    """Stretches of one label by the running median of a curve, decided from left to right.

    Args:
        labels: what frames are called at the threshold and above, and below it.
        frames_per_second: of the curve.
        threshold: of a frame.
        median_s: width of the median, in seconds.
    """

    def __init__(self, labels: tuple[str, ...], frames_per_second: float, threshold: float, median_s: float) -> None:
        self._labels, self._rate, self._threshold = labels, frames_per_second, threshold
        self._half = round(median_s * frames_per_second) // 2
        self._begins = 0  # first frame of the segment that is open
        self._curve = np.zeros(0, np.float32)  # from half a window before that on
        self._first = 0  # number of its first frame

    def decided(self, probability: Floats) -> Iterator[Part]:
        """Takes the next frames `[n]`; the segments that end for certain now."""
        self._curve = np.concatenate([self._curve, probability])
        sings = np.asarray(is_vocal(self._curve, self._threshold))
        known = len(sings) - self._half  # frames whose windows are whole
        if known < 2:
            return
        padded = np.pad(sings, (self._half, 0), mode="edge").astype(np.int64)
        counts = np.cumsum(np.pad(padded, (1, 0)))
        window = 2 * self._half + 1
        most = 2 * (counts[window:] - counts[:-window]) > window
        for change in np.flatnonzero(np.diff(most)) + 1:
            if self._first + change > self._begins:
                yield self._segment(self._first + int(change), called=bool(most[change - 1]))
                self._begins = self._first + int(change)
        first = max(self._first, self._begins - self._half)
        self._curve, self._first = self._curve[first - self._first :], first

    def _segment(self, end: int, *, called: bool) -> Part:
        inside = self._curve[self._begins - self._first : end - self._first]
        confidence = float(inside.mean() if called else 1 - inside.mean())
        return _part(self._begins / self._rate, end / self._rate, self._labels[0 if called else 1], confidence)

    def rest(self, summed: Iterable[Segment]) -> Iterator[Part]:
        """What the service says of what was not yet told."""
        told_s = self._begins / self._rate
        for each in summed:
            if each.end_s > told_s + 0.5 / self._rate:
                yield _part(max(told_s, each.start_s), each.end_s, each.label, each.mean_confidence)


def _part(start_s: float, end_s: float, label: str, confidence: float) -> Part:
    return {
        "kind": "segment",
        "start_s": round(start_s, 4),
        "end_s": round(end_s, 4),
        "label": label,
        "confidence": round(confidence, 4),
    }
