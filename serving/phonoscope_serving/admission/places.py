"""A bounded number of places, given in fair turns: to the callers who have the fewest, then to who came first."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from phonoscope_serving.errors import QueueFull

RETRY_S = 1.0  # when a line that is full may have moved


@dataclass(eq=False)
class _Waiting:
    """Somebody in line."""

    caller: str
    given: asyncio.Future[None]


class Places:
    """Places that calls take while they do one thing; no caller has more than half of them."""

    def __init__(self, what: str, places: int, waiting: int) -> None:
        """All are free.

        Args:
            what: is done there, for messages: "be received".
            places: how many there are.
            waiting: how many may wait for one.
        """
        self._what, self._places, self._most_waiting = what, places, waiting
        self._each = max(1, places // 2)
        self._taken = Counter[str]()  # caller → places
        self._waiting: list[_Waiting] = []

    @asynccontextmanager
    async def place(self, caller: str) -> AsyncIterator[None]:
        """Waits for a place and has it for the block.

        Args:
            caller: whose place it is.

        Raises:
            QueueFull: too many wait.
        """
        if self._has_room(caller):
            self._taken[caller] += 1
        else:
            await self._wait(caller)
        try:
            yield
        finally:
            self._give_back(caller)

    async def _wait(self, caller: str) -> None:
        if len(self._waiting) >= self._most_waiting:
            raise QueueFull(f"{len(self._waiting)} calls wait to {self._what}; no more may", RETRY_S, "receiving")
        waiting = _Waiting(caller, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        try:
            await waiting.given
        except asyncio.CancelledError:
            if waiting.given.cancelled():
                self._waiting.remove(waiting)
            else:  # it was given just before
                self._give_back(caller)
            raise

    def _has_room(self, caller: str) -> bool:
        return self._taken.total() < self._places and self._taken[caller] < self._each

    def _give_back(self, caller: str) -> None:
        self._taken[caller] -= 1
        if not self._taken[caller]:
            del self._taken[caller]
        while able := [each for each in self._waiting if self._has_room(each.caller) and not each.given.done()]:
            first = min(able, key=lambda each: self._taken[each.caller])
            self._waiting.remove(first)
            self._taken[first.caller] += 1
            first.given.set_result(None)
