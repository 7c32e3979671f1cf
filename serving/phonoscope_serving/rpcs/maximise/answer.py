"""What a unit of the detector wants to hear: the bundle's ascent, called a few steps at a time, nothing computed here.

Every example is a row of its own that asks the engine for its next few steps as soon as it has the last. Whatever rows
wait at that moment are run together, whoever they belong to: a request joins at the next boundary and leaves when it is
done. One that was cancelled, or whose deadline passed, asks no more, so its place is free at the next boundary too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from phonoscope_serving.rpcs.call import Call
from phonoscope_serving.rpcs.maximise.initial_state import NEXT, POINT
from phonoscope_serving.rpcs.maximise.question import (
    MaximisationQuestion,
    check,
    int_column,
    row_settings,
)
from phonoscope_serving.rpcs.maximise.settings import OPTIMISER, Maximiser
from phonoscope_serving.tensors import Array, Floats


@dataclass(frozen=True)
class Progress:
    """How far the examples are; one value each, that of the last evaluation."""

    step: tuple[int, ...]
    response: tuple[float, ...]
    prior: tuple[float, ...]


@dataclass(frozen=True)
class Point:
    """What the generator makes of one point."""

    response: float
    prior: float  # log p(z) without its constant
    probability: float  # of singing
    log_mel: Floats  # `[T, M]`
    audio: Floats | None  # `[N]` at the front-end's rate


@dataclass(frozen=True)
class Example:
    """Where a row began, and the best it came by."""

    index: int
    initial: Point
    found: Point


async def maximise(call: Call, known: Maximiser, question: MaximisationQuestion) -> AsyncGenerator[Progress | Example]:
    """Optimises, and says how far it is whenever a row has come further; then every example.

    Args:
        call: what answers.
        known: what its bundle can maximise.
        question: what is sought.

    Raises:
        InvalidRequest: a term's layer or channel, or the position, is none of the detector's.
        RequestError: see `Engine.infer`.
    """
    check(known, question)
    settings = row_settings(known, question)
    begin = np.random.default_rng(question.seed).standard_normal((question.examples, known.latent), np.float32)
    rows = [_Row({POINT: z[None], **known.initial_state}, settings) for z in begin]
    moved = asyncio.Event()
    told: Progress | None = None
    async with _optimising(call, rows, moved) as work:
        work.add_done_callback(lambda _: moved.set())
        while not work.done():
            await moved.wait()
            moved.clear()
            yield (told := _progress(rows))
        work.result()
    if told != _progress(rows):  # the last steps were made while the one before was being told
        yield _progress(rows)
    for index, row in enumerate(rows):
        yield await _example(call, known, question, index, row)


class _Row:
    """One example on its way."""

    def __init__(self, state: dict[str, Array], settings: dict[str, Array]) -> None:
        self.initial_z, self.state, self.settings = state[POINT], state, settings
        self._steps = int(settings["steps"][0, 0])

    @property
    def inputs(self) -> dict[str, Array]:
        """What the next call is given."""
        return {**self.state, **self.settings}

    def is_done(self) -> bool:
        """Whether all steps were made and the last point was evaluated."""
        return int(self.state["evaluated_step"][0, 0]) >= self._steps

    def become(self, outputs: Mapping[str, Array]) -> None:
        """Takes over the state that a call led to."""
        self.state = {name.removeprefix(NEXT): value for name, value in outputs.items()}


@asynccontextmanager
async def _optimising(call: Call, rows: list[_Row], moved: asyncio.Event) -> AsyncIterator[asyncio.Task[None]]:
    """A task that optimises every row, ended with the block; it does not wait for whoever follows its progress."""

    async def optimise(row: _Row) -> None:
        continues = False
        while not row.is_done():
            row.become(await call.infer(OPTIMISER, row.inputs, continues=continues))
            continues = True
            moved.set()

    async def optimise_all() -> None:
        async with asyncio.TaskGroup() as group:
            for row in rows:
                group.create_task(optimise(row))

    task = asyncio.create_task(_first_error(optimise_all()), name=f"optimisation of {len(rows)} rows")
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _first_error(work: Coroutine[Any, Any, None]) -> None:
    """Awaits a group of tasks; of what went wrong in it, raises the first."""
    try:
        await work
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


def _progress(rows: list[_Row]) -> Progress:
    columns = (tuple(row.state[name][0, 0].item() for row in rows) for name in ("evaluated_step", "response", "prior"))
    return Progress(*columns)


async def _example(call: Call, known: Maximiser, question: MaximisationQuestion, index: int, row: _Row) -> Example:
    """Where the row began and its best point, evaluated and, if asked for, heard."""
    points = np.concatenate([row.initial_z, row.state["best_z"]])
    standing = [{POINT: z[None], **known.initial_state, **row.settings, "steps": int_column(0)} for z in points]
    both = {name: np.concatenate([each[name] for each in standing]) for name in standing[0]}
    evaluated = await call.infer(OPTIMISER, both, continues=True)
    made = await call.infer("generated", {"z": points}, continues=True)
    sounds: Sequence[Floats | None] = [None] * len(points)
    if question.listen:
        sounds = await _heard(call, known, made["log_mel"], question.seed)
    initial, found = (
        Point(
            response=float(evaluated[f"{NEXT}response"][number, 0]),
            prior=float(evaluated[f"{NEXT}prior"][number, 0]),
            probability=float(made["probability"][number, 0]),
            log_mel=made["log_mel"][number],
            audio=sounds[number],
        )
        for number in range(len(points))
    )
    return Example(index, initial, found)


async def _heard(call: Call, known: Maximiser, log_mel: Floats, seed: int) -> list[Floats]:
    """Spectrograms as sound; the search for their phase begins at that of noise, the same for all."""
    noise = np.random.default_rng(seed).standard_normal((1, known.excerpt_samples), np.float32)
    inputs = {"log_mel": log_mel, "audio": np.repeat(noise, len(log_mel), axis=0)}
    made = await call.infer("griffin_lim", inputs, continues=True)
    return list(made[f"{NEXT}audio"])
