"""What a run costs where several go on side by side: each is charged its share of the time that passes."""

from __future__ import annotations

import time


class BusyTime:
    """Seconds in which an engine was busy."""

    def __init__(self) -> None:
        self._running = 0
        self._share_s = 0.0  # what one run would have been charged, had it gone on all along
        self._seen_s = time.perf_counter()

    def begin(self) -> float:
        """A run begins; returns what `end` is given."""
        began = self._passed()
        self._running += 1
        return began

    def end(self, began: float) -> float:
        """It ends; returns its cost in seconds."""
        cost_s = self._passed() - began
        self._running -= 1
        return cost_s

    def _passed(self) -> float:
        now_s = time.perf_counter()
        self._share_s += (now_s - self._seen_s) / max(1, self._running)
        self._seen_s = now_s
        return self._share_s
