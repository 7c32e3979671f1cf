"""Refused calls in the log: there may be hundreds a second, and a line for each would cost more than the refusal."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter

LOG = logging.getLogger("phonoscope.calls")
EVERY_S = 1.0


class Refusals:
    """Counts refusals, and says once a second how many there were."""

    def __init__(self) -> None:
        self._counts = Counter[str]()  # method → refused since the last line
        self._details = ""

    def add(self, method: str, details: str) -> None:
        """Takes note of one; the line is written a second after the first."""
        if not self._counts:
            asyncio.get_running_loop().call_later(EVERY_S, self._write)
        self._counts[method] += 1
        self._details = details
        LOG.debug("call refused", extra={"method": method, "details": details})

    def _write(self) -> None:
        for method, count in self._counts.items():
            LOG.info("calls refused", extra={"method": method, "calls": count, "details": self._details})
        self._counts.clear()
