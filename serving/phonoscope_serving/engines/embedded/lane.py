"""Where batches run: one at a time, in fair turns between kinds of work.

An engine has two. What may last longer than somebody who waits for an answer likes has a lane of its own, so that it
holds nobody up; the system divides the processor between the two, and gives the second the smaller part.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

from phonoscope_serving.admission.busy import BusyTime
from phonoscope_serving.admission.fair import FairOrder
from phonoscope_serving.admission.work import Kind

Result = TypeVar("Result")

BACKGROUND_NICENESS = 10  # a tenth of the weight of what is not nice, where both want the processor
MOST_NICE = 19


@dataclass(eq=False)
class _Waiting:
    """What waits for its turn."""

    kind: Kind
    has_begun: Callable[[], bool]
    turn: asyncio.Future[None]


class Lane:
    """A thread, and who is next on it."""

    def __init__(self, name: str, busy: BusyTime, niceness: int = 0) -> None:
        """Starts no thread yet.

        Args:
            name: of the thread.
            busy: tells what a run costs.
            niceness: of the thread beside the process, where the system knows such a thing.
        """
        self._thread = ThreadPoolExecutor(1, name, initializer=_be_nice, initargs=(niceness,))
        self._busy, self._is_taken = busy, False
        self._kinds = FairOrder[Kind]()
        self._waiting: list[_Waiting] = []
        self.callers = FairOrder[tuple[Kind, str]]()  # in each kind
        self._since_s: float | None = None  # what runs began, on the monotonic clock

    @property
    def running_s(self) -> float:
        """How long what runs has gone on, in seconds."""
        return 0.0 if self._since_s is None else time.monotonic() - self._since_s

    def is_wanted_beside(self, kind: Kind) -> bool:
        """Whether work of another kind waits."""
        return any(each.kind is not kind for each in self._waiting)

    @asynccontextmanager
    async def turn(self, kind: Kind, has_begun: Callable[[], bool] = lambda: False) -> AsyncIterator[None]:
        """Waits until it is a kind's turn, and has the lane for the block.

        Args:
            kind: of what is run.
            has_begun: whether it goes on with requests that other runs have begun: among a kind's, these are first, or
                many would be begun and few be done in time.
        """
        if self._is_taken:
            waiting = _Waiting(kind, has_begun, asyncio.get_running_loop().create_future())
            self._waiting.append(waiting)
            try:
                await waiting.turn
            except asyncio.CancelledError:
                if waiting.turn.cancelled():
                    self._waiting.remove(waiting)
                else:
                    self._pass_on()
                raise
        self._is_taken = True
        try:
            yield
        finally:
            self._pass_on()

    async def run(self, work: Callable[[], Result]) -> tuple[Result, float]:
        """Runs something on the lane's thread.

        Returns:
            What it returned, and what it cost in seconds.
        """
        began, self._since_s = self._busy.begin(), time.monotonic()
        cost_s = 0.0
        try:
            result = await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._since_s, cost_s = None, self._busy.end(began)
        return result, cost_s

    def charge(self, kind: Kind, caller: str, cost_s: float) -> None:
        """Has a kind, and a caller among those of the kind, pay for a turn."""
        self._kinds.charge(kind, cost_s)
        self.callers.charge((kind, caller), cost_s)

    def close(self) -> None:
        """Ends the thread, once what it runs is done."""
        self._thread.shutdown()

    def _pass_on(self) -> None:
        self._is_taken = False
        waiting = [each for each in self._waiting if not each.turn.done()]
        if waiting:
            first = min(waiting, key=lambda each: (self._kinds.place(each.kind), not each.has_begun()))
            self._waiting.remove(first)
            first.turn.set_result(None)
            self._is_taken = True


def _be_nice(niceness: int) -> None:
    """Of the thread that calls it alone: Linux has the niceness of threads, others that of processes."""
    if niceness and sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, min(MOST_NICE, os.getpriority(os.PRIO_PROCESS, 0) + niceness))
