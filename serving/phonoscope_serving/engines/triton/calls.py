"""Calls to a Triton server, none of which is taken back while the server may still answer.

A server can crash where a call is cancelled just as its answer is sent (triton-inference-server/server#7368 and #8034),
and callers leave all the time. So a call that was sent runs to its end, whoever has left; and only so many rows are
sent at a time that little is computed for nobody. Others wait here, where leaving costs nothing, and are sent in fair
turns between callers.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from phonoscope_serving import tracing
from phonoscope_serving.admission.fair import FairOrder
from phonoscope_serving.admission.work import NOBODYS, Kind, Work
from phonoscope_serving.errors import DeadlinePassed, EngineLost, QueueFull
from phonoscope_serving.metrics import Metrics

T = TypeVar("T")

ABANDONED_S = 60.0  # a call that nobody waits for and that has no answer by then is taken back after all
CLOSE_S = 5.0  # for the answers nobody waits for, before the channel is closed


@dataclass(frozen=True)
class CallLimits:
    """How much one model may have to do; a call of more rows than either is taken when there is no other."""

    queue_rows: int  # not yet answered, before a new request is refused
    sent_rows: int  # at the server


@dataclass(eq=False)
class _Waiting:
    """A call that waits for room at the server."""

    rows: int
    caller: tuple[Kind, str]
    given: asyncio.Future[None]


@dataclass
class _Model:
    """The calls of one model."""

    waiting: list[_Waiting] = field(default_factory=list)
    sent_rows: int = 0
    callers: FairOrder[tuple[Kind, str]] = field(default_factory=FairOrder)

    @property
    def rows(self) -> int:
        """Not yet answered."""
        return self.sent_rows + sum(each.rows for each in self.waiting)


class Calls:
    """Every call of one engine that waits to be sent, or for its answer."""

    def __init__(self, limits: CallLimits, retry_after_s: Callable[[], float], metrics: Metrics) -> None:
        """Has no calls yet.

        Args:
            limits: of every model.
            retry_after_s: when a request that is refused may find a place.
            metrics: where `queue_rows` is kept.
        """
        self._limits, self._retry_after_s, self._queue_rows = limits, retry_after_s, metrics.queue_rows
        self._models: defaultdict[str, _Model] = defaultdict(_Model)
        self._sent: set[asyncio.Task[Any]] = set()
        self._awaited: set[asyncio.Future[Any]] = set()

    async def run(
        self,
        model: str,
        rows: int,
        send: Callable[[], Coroutine[Any, Any, T]],
        *,
        deadline: float | None,
        continues: bool,
        work: Work = NOBODYS,
    ) -> T:
        """Sends one call when there is room and returns its answer; see `Engine.infer` for the rest.

        Raises:
            QueueFull: too many rows are waiting, and the call does not continue a request.
            DeadlinePassed: `deadline` passed before there was an answer.
            EngineLost: `close` was called.
        """
        calls = self._models[model]
        there = calls.rows
        if there and not continues and there + rows > self._limits.queue_rows:
            message = f"{there} rows wait for {model}; at most {self._limits.queue_rows} may"
            raise QueueFull(message, self._retry_after_s())
        try:
            async with asyncio.timeout_at(deadline):
                with tracing.span(f"wait for {model}"):
                    await self._room(model, calls, rows, work)
                return await self._answer(self._begin(model, calls, rows, send))
        except TimeoutError:
            raise DeadlinePassed(f"the deadline passed while {model} was waited for") from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise EngineLost("the engine has stopped, or its server is silent") from None

    def end_waits(self) -> None:
        """Ends every wait in EngineLost; what was sent is not taken back."""
        for wait in tuple(self._awaited):
            wait.cancel()
        for calls in self._models.values():
            for waiting in calls.waiting:
                waiting.given.cancel()

    async def close(self) -> None:
        """Ends every wait in EngineLost, and gives the server a moment to answer what it was sent."""
        self.end_waits()
        if not self._sent:
            return
        _, late = await asyncio.wait(self._sent, timeout=CLOSE_S)
        for call in late:
            call.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _room(self, model: str, calls: _Model, rows: int, work: Work) -> None:
        """Waits until there is room at the server, and takes it."""
        waiting = _Waiting(rows, (work.kind, work.caller), asyncio.get_running_loop().create_future())
        calls.waiting.append(waiting)
        self._let_in(model, calls)
        try:
            await waiting.given
        except asyncio.CancelledError:
            if waiting in calls.waiting:
                calls.waiting.remove(waiting)
            else:  # it was given just before
                calls.sent_rows -= rows
            self._let_in(model, calls)
            raise

    def _let_in(self, model: str, calls: _Model) -> None:
        """Gives room to those who wait, the caller who has had the least first."""
        while able := [each for each in calls.waiting if not each.given.done()]:
            first = min(able, key=lambda each: calls.callers.place(each.caller))
            if calls.sent_rows and calls.sent_rows + first.rows > self._limits.sent_rows:
                break
            calls.waiting.remove(first)
            calls.sent_rows += first.rows
            calls.callers.charge(first.caller, first.rows)
            first.given.set_result(None)
        self._queue_rows.labels(model).set(calls.rows)

    def _begin(
        self, model: str, calls: _Model, rows: int, send: Callable[[], Coroutine[Any, Any, T]]
    ) -> asyncio.Task[T]:
        call = asyncio.create_task(send(), name=f"{model}, sent to the Triton server")
        self._sent.add(call)

        def end(call: asyncio.Task[T]) -> None:
            self._sent.discard(call)
            calls.sent_rows -= rows
            self._let_in(model, calls)
            if not call.cancelled():
                call.exception()  # nobody may be left to hear of it

        call.add_done_callback(end)
        return call

    async def _answer(self, call: asyncio.Task[T]) -> T:
        wait = asyncio.shield(call)
        self._awaited.add(wait)
        try:
            return await wait
        finally:
            self._awaited.discard(wait)
            if not call.done():
                asyncio.get_running_loop().call_later(ABANDONED_S, call.cancel)
