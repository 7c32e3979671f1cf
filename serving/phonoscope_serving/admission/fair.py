"""Fair turns: the next is for whoever has had the least.

Start-time fair queueing (Goyal, Vin & Cheng 1996), with costs known only once they have been paid. Who was away does
not find turns saved up: everybody starts from where those are who have been there.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

Name = TypeVar("Name", bound=Hashable)


class FairOrder(Generic[Name]):
    """How much each has had."""

    def __init__(self) -> None:
        self._now = 0.0  # where who was served last began
        self._had: dict[Name, float] = {}  # of those who are ahead of that

    def place(self, name: Name) -> float:
        """Where somebody is in line: the lower, the sooner."""
        return self._had.get(name, self._now)

    def charge(self, name: Name, amount: float) -> None:
        """Has somebody pay for a turn."""
        began = self.place(name)
        self._had[name] = began + amount
        self._now = max(self._now, began)
        self._had = {each: had for each, had in self._had.items() if had > self._now}
