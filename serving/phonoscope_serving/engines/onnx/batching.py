"""Requests that arrive together are run together.

One queue a model, one runner for all: while a batch runs, arriving requests gather, and the next batch takes as many as
fit. Nothing waits for company while the engine is idle.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import numpy as np

from phonoscope_serving import tracing
from phonoscope_serving.errors import DeadlinePassed, EngineLost, QueueFull
from phonoscope_serving.metrics import Metrics
from phonoscope_serving.tensors import Array, Tensors

Run = Callable[[str, Tensors, tuple[str, ...]], Awaitable[dict[str, Array]]]  # model, inputs, wanted → outputs


@dataclass(frozen=True)
class BatchLimits:
    """How much is taken on, and how much is run at once."""

    batch_rows: int  # rows run together, unless one request alone has more; 0: the model has no batch axis
    queue_rows: int  # rows that may wait


@dataclass(eq=False)
class _Waiting:
    """One request in the queue."""

    inputs: Tensors
    outputs: tuple[str, ...]
    rows: int
    deadline: float | None
    answer: asyncio.Future[dict[str, Array]]
    asked: tracing.Moment

    def is_dead(self, now: float) -> bool:
        return self.answer.done() or (self.deadline is not None and self.deadline <= now)

    def joins(self, other: _Waiting) -> bool:
        return self.outputs == other.outputs and all(
            self.inputs[name].shape[1:] == other.inputs[name].shape[1:] for name in self.inputs
        )


class BatchQueue:
    """The queue of one model."""

    def __init__(self, model: str, run: Run, turn: asyncio.Lock, limits: BatchLimits, metrics: Metrics) -> None:
        """Makes an empty queue; `start` sets it going.

        Args:
            model: name of the model.
            run: runs one batch.
            turn: held while a batch runs; shared by the queues of one engine, and given in order of asking.
            limits: batch and queue size, in rows.
            metrics: where batch sizes, queue depth and times are noted.
        """
        self._model, self._run, self._turn, self._limits = model, run, turn, limits
        self._waiting: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self._fastest_s = 0.0  # least seconds a row has taken: with less time than this left, starting is in vain
        self._seconds_per_row = 0.0  # recent average
        self._batch_rows = metrics.batch_rows.labels(model)
        self._queue_rows = metrics.queue_rows.labels(model)
        self._engine_seconds = metrics.engine_seconds.labels(model)

    def start(self) -> None:
        """Begins to take requests."""
        self._worker = asyncio.create_task(self._work(), name=f"batches of {self._model}")

    async def submit(
        self, inputs: Tensors, outputs: tuple[str, ...], *, deadline: float | None, continues: bool
    ) -> dict[str, Array]:
        """Waits in the queue, is run, and returns this request's own rows.

        Args:
            inputs: every input by name, all with the same number of rows.
            outputs: the outputs that are wanted; only requests that want the same are run together.
            deadline: on the event loop's clock, in seconds; None waits for ever.
            continues: never refused for a full queue.

        Raises:
            QueueFull: too many rows are waiting.
            DeadlinePassed: `deadline` passed, or too little of it is left.
            EngineLost: the queue was closed.
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
        request = _Waiting(inputs, outputs, rows, deadline, loop.create_future(), tracing.now())
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
        """Drops requests whose caller cancelled or whose deadline passed: they must not run."""
        now = asyncio.get_running_loop().time()
        self._waiting = deque(request for request in self._waiting if not request.is_dead(now))

    def _note_depth(self) -> None:
        self._queue_rows.set(sum(request.rows for request in self._waiting))

    async def _work(self) -> None:
        while True:
            await self._arrived.wait()
            async with self._turn:
                batch = self._take()
                if batch:
                    await self._run_batch(batch)
            # Whoever was answered may ask again at once, and then runs with those who wait, not after them.
            await asyncio.sleep(0)
            if not self._waiting:
                self._arrived.clear()

    def _take(self) -> list[_Waiting]:
        """The request that came first, and those that can run with it."""
        self._forget_the_dead()
        batch: list[_Waiting] = []
        left: deque[_Waiting] = deque()
        rows = 0
        for request in self._waiting:
            fits = not batch or (rows + request.rows <= self._limits.batch_rows and request.joins(batch[0]))
            (batch if fits else left).append(request)
            rows += request.rows if fits else 0
        self._waiting = left
        self._note_depth()
        return batch

    async def _run_batch(self, batch: list[_Waiting]) -> None:
        rows = sum(request.rows for request in batch)
        began_s, began_ns = asyncio.get_running_loop().time(), time.time_ns()
        try:
            outputs = await self._run(self._model, _joined(batch), batch[0].outputs)
        except asyncio.CancelledError:
            _fail(batch, EngineLost("the engine has stopped"))
            raise
        except Exception as error:  # noqa: BLE001 - whatever broke the batch is every caller's answer
            _fail(batch, error)
            return
        finally:
            self._trace(batch, began_ns, rows)
        self._learn(rows, asyncio.get_running_loop().time() - began_s)
        if len(batch) == 1:
            _answer(batch[0], outputs)
            return
        start = 0
        for request in batch:
            _answer(request, {name: tensor[start : start + request.rows] for name, tensor in outputs.items()})
            start += request.rows

    def _trace(self, batch: list[_Waiting], began_ns: int, rows: int) -> None:
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


def _joined(batch: list[_Waiting]) -> Tensors:
    if len(batch) == 1:
        return batch[0].inputs
    return {name: np.concatenate([request.inputs[name] for request in batch]) for name in batch[0].inputs}


def _answer(request: _Waiting, outputs: dict[str, Array]) -> None:
    if not request.answer.done():  # its caller may have left while it ran
        request.answer.set_result(outputs)


def _fail(batch: list[_Waiting], error: Exception) -> None:
    for request in batch:
        if not request.answer.done():
            request.answer.set_exception(error)
