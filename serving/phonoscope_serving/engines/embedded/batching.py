"""Requests that arrive together are run together.

One queue for each model and kind of work, one lane for several: while a batch runs, arriving requests gather, and the
next takes as many as fit, in fair turns between callers. Nothing waits for company while the lane is free.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from phonoscope_serving import tracing
from phonoscope_serving.admission.work import Kind, Work
from phonoscope_serving.engines.embedded.lane import Lane
from phonoscope_serving.engines.embedded.waiting import Waiting, answer, fail, joined
from phonoscope_serving.errors import DeadlinePassed, EngineLost, QueueFull
from phonoscope_serving.metrics import Metrics
from phonoscope_serving.tensors import Array, Tensors

# Lane, model, inputs, wanted → outputs, and what they cost in seconds.
Run = Callable[[Lane, str, Tensors, tuple[str, ...]], Awaitable[tuple[dict[str, Array], float]]]

TURN_S = 0.2  # of one kind, while another waits
TINY_S = 1e-6  # what a row costs before there was one


@dataclass(frozen=True)
class BatchLimits:
    """How much is taken on, and how much is run at once."""

    batch_rows: int  # rows run together, unless one request alone has more; 0: the model has no batch axis
    queue_rows: int  # rows that may wait


class BatchQueue:
    """The queue of one model, for one kind of work."""

    def __init__(self, model: str, kind: Kind, run: Run, lane: Lane, limits: BatchLimits, metrics: Metrics) -> None:
        """Makes an empty queue; `start` sets it going.

        Args:
            model: name of the model.
            kind: of what waits here.
            run: runs one batch.
            lane: where batches run.
            limits: batch and queue size, in rows.
            metrics: where batch sizes, queue depth and times are noted.
        """
        self._model, self._kind, self._run, self._lane, self._limits = model, kind, run, lane, limits
        self._waiting: deque[Waiting] = deque()
        self._arrived = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self._fastest_s = 0.0  # least seconds a row has taken: with less time than this left, starting is in vain
        self._seconds_per_row = 0.0  # recent average
        self._batch_rows = metrics.batch_rows.labels(model)
        self._queue_rows = metrics.queue_rows.labels(model)
        self._noted_rows = 0  # of this queue, in what `queue_rows` shows
        self._engine_seconds = metrics.engine_seconds.labels(model)

    def start(self) -> None:
        """Begins to take requests."""
        self._worker = asyncio.create_task(self._work(), name=f"batches of {self._model}")

    async def submit(
        self, inputs: Tensors, outputs: tuple[str, ...], *, deadline: float | None, continues: bool, work: Work
    ) -> dict[str, Array]:
        """Waits in the queue, is run, and returns this request's own rows.

        Args:
            inputs: every input of the model.
            outputs: those that are wanted.
            deadline: see `Engine.infer`, also for what is raised.
            continues: likewise.
            work: what it is part of, and is charged for it.
        """
        if self._worker is None:
            raise EngineLost("the engine is not running")
        rows = next(iter(inputs.values())).shape[0] if self._limits.batch_rows else 1
        loop = asyncio.get_running_loop()
        self._refuse_the_late(rows, deadline, loop.time())
        self._forget_the_dead()
        waiting_rows = sum(request.rows for request in self._waiting)
        if self._waiting and not continues and waiting_rows + rows > self._limits.queue_rows:
            raise QueueFull(
                f"{waiting_rows} rows wait for {self._model}; at most {self._limits.queue_rows} may",
                retry_after_s=max(0.05, waiting_rows * self._seconds_per_row),
            )
        request = Waiting(inputs, outputs, rows, deadline, continues, work, loop.create_future(), tracing.now())
        self._waiting.append(request)
        self._note_depth()
        self._arrived.set()
        try:
            async with asyncio.timeout_at(deadline):
                return await request.answer
        except TimeoutError:
            raise DeadlinePassed(f"the deadline passed while {self._model} was waited for") from None

    def _refuse_the_late(self, rows: int, deadline: float | None, now: float) -> None:
        least_s = rows * self._fastest_s
        if deadline is not None and deadline - now < least_s:
            # Each refusal loosens the bound, or one slow run could shut the door for ever.
            self._fastest_s *= 0.9
            left_s = max(0.0, deadline - now)
            raise DeadlinePassed(f"{left_s:.3f} s are left, and {self._model} takes at least {least_s:.3f} s")

    async def close(self) -> None:
        """Stops; requests that are waiting or running end in EngineLost."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)
        for request in self._waiting:
            if not request.answer.done():
                request.answer.set_exception(EngineLost("the engine has stopped"))
        self._waiting.clear()

    def _forget_the_dead(self) -> None:
        """Drops requests whose caller left, or which would not be done in time: they must not run."""
        now, left = asyncio.get_running_loop().time(), deque[Waiting]()
        for request in self._waiting:
            late = request.deadline is not None and request.deadline < now + self._least_s(request)
            if late and not request.answer.done():
                message = f"too little time was left when it was the turn of {self._model}"
                request.answer.set_exception(DeadlinePassed(message))
            if not request.answer.done():
                left.append(request)
        self._waiting = left

    def _least_s(self, request: Waiting) -> float:
        """How long it takes at least until the caller has an answer.

        That is more than this model takes where others come after it. What requests like it took is only believed where
        more than one waits: the others gain by it, and nobody is turned away by one slow run for ever.
        """
        least_s = request.rows * self._fastest_s
        is_all = len(self._waiting) > 1 and not request.work.kind.is_partial
        return max(least_s, request.work.left_s) if is_all else least_s

    def _has_begun(self) -> bool:
        return any(request.continues for request in self._waiting)

    def _note_depth(self) -> None:
        rows = sum(request.rows for request in self._waiting)
        self._queue_rows.inc(rows - self._noted_rows)  # other kinds of work may wait for the same model
        self._noted_rows = rows

    async def _work(self) -> None:
        while True:
            await self._arrived.wait()
            async with self._lane.turn(self._kind, self._has_begun):
                batch = self._take()
                if batch:
                    await self._run_batch(batch)
            # Whoever was answered may ask again at once, and then runs with those who wait, not after them.
            await asyncio.sleep(0)
            if not self._waiting:
                self._arrived.clear()

    def _take(self) -> list[Waiting]:
        """The request whose turn it is, and those that can run with it."""
        self._forget_the_dead()
        most, batch, rows = self._rows_at_once(), list[Waiting](), 0
        for request in self._in_turn():
            if not batch or (rows + request.rows <= most and request.joins(batch[0])):
                batch.append(request)
                rows += request.rows
            if rows >= most:
                break
        for request in batch:
            self._waiting.remove(request)
        self._note_depth()
        return batch

    def _rows_at_once(self) -> int:
        most = self._limits.batch_rows
        if self._seconds_per_row and self._lane.is_wanted_beside(self._kind):
            most = min(most, int(TURN_S / self._seconds_per_row))
        return max(1, most)

    def _in_turn(self) -> Iterator[Waiting]:
        """Those who wait, the caller who has had the least first."""
        left, callers, chosen = list(self._waiting), self._lane.callers, defaultdict[str, float](float)
        while left:
            first = min(left, key=lambda each: callers.place((self._kind, each.work.caller)) + chosen[each.work.caller])
            left.remove(first)
            chosen[first.work.caller] += max(self._seconds_per_row, TINY_S) * first.rows
            yield first

    async def _run_batch(self, batch: list[Waiting]) -> None:
        rows = sum(request.rows for request in batch)
        began_s, began_ns = asyncio.get_running_loop().time(), time.time_ns()
        try:
            outputs, cost_s = await self._run(self._lane, self._model, joined(batch), batch[0].outputs)
        except asyncio.CancelledError:
            fail(batch, EngineLost("the engine has stopped"))
            raise
        except Exception as error:  # noqa: BLE001 - whatever broke the batch is every caller's answer
            fail(batch, error)
            return
        finally:
            self._trace(batch, began_ns, rows)
        self._learn(rows, asyncio.get_running_loop().time() - began_s)
        start = 0
        for request in batch:
            share_s = cost_s * request.rows / rows
            request.work.charge(share_s)
            self._lane.charge(self._kind, request.work.caller, share_s)
            own = slice(start, start + request.rows) if len(batch) > 1 else ...
            answer(request, {name: tensor[own] for name, tensor in outputs.items()})
            start += request.rows

    def _trace(self, batch: list[Waiting], began_ns: int, rows: int) -> None:
        ended_ns = time.time_ns()
        for request in batch:
            tracing.past(f"wait for {self._model}", request.asked, request.asked.time_ns, began_ns)
            tracing.past(f"run {self._model}", request.asked, began_ns, ended_ns, phonoscope__batch_rows=rows)

    def _learn(self, rows: int, seconds: float) -> None:
        self._batch_rows.observe(rows)
        self._engine_seconds.observe(seconds)
        per_row = seconds / rows
        self._fastest_s = min(self._fastest_s, per_row) if self._fastest_s else per_row
        self._seconds_per_row += 0.2 * (per_row - self._seconds_per_row) if self._seconds_per_row else per_row
