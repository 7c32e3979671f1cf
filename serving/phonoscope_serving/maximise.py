"""What a unit of the detector wants to hear: the bundle's ascent, called a few steps at a time, nothing computed here.

Every example is a row of its own that asks the engine for its next few steps as soon as it has the last. Whatever rows
wait at that moment are run together, whoever they belong to: a request joins at the next boundary and leaves when it is
done. One that was cancelled, or whose deadline passed, asks no more, so its place is free at the next boundary too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from phonoscope_serving.ascents import CLIMBERS, DIRECTIONS, Ascents, AscentSettings
from phonoscope_serving.engines.engine import Array, Engine, Floats
from phonoscope_serving.errors import InvalidRequest, Violation

EVERYWHERE = (-1, -1)  # instead of a frame and a band
NOWHERE_YET = -3e38  # below any objective: nothing has been evaluated
NEXT = "next_"  # begins what a model says a row's state has become
SHOWN_CHARACTERS = 40  # of a name that no layer has


@dataclass(frozen=True)
class ResponseTerm:
    """One part of a response."""

    layer: str
    channel: int | None  # None: the mean of all
    weight: float


@dataclass(frozen=True)
class MaximisationQuestion:
    """What is to respond, and how it is sought."""

    terms: tuple[ResponseTerm, ...]
    position: tuple[int, int] | None  # frame and band; None: the mean
    direction: str  # one of `DIRECTIONS`
    examples: int
    seed: int
    settings: AscentSettings
    listen: bool  # also return sound


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


async def maximise(
    engine: Engine, known: Ascents, question: MaximisationQuestion, deadline: float | None
) -> AsyncGenerator[Progress | Example]:
    """Climbs, and says how far it is whenever a row has come further; then every example.

    Args:
        engine: what runs the graphs.
        known: what the bundle it runs can maximise.
        question: what is sought.
        deadline: on the event loop's clock, in seconds.

    Raises:
        InvalidRequest: a term's layer or channel, or the position, is none of the detector's.
        RequestError: see `Engine.infer`.
    """
    model = _climber(known, question)
    begin = np.random.default_rng(question.seed).standard_normal((question.examples, known.latent), np.float32)
    rows = [_Row(begin[index : index + 1], _settings(known, model, question)) for index in range(question.examples)]
    moved = asyncio.Event()
    async with _climbing(engine, model, rows, moved, deadline) as climb:
        while not climb.done():
            await asyncio.wait({climb, moving := asyncio.create_task(moved.wait())}, return_when="FIRST_COMPLETED")
            moving.cancel()
            moved.clear()
            yield _progress(rows)
        climb.result()
    for index, row in enumerate(rows):
        yield await _example(engine, known, question, index, row, deadline)


class _Row:
    """One example on its way."""

    def __init__(self, z: Floats, settings: Mapping[str, Array]) -> None:
        self.initial_z, self._settings = z, settings
        self._steps = int(settings["steps"][0, 0])
        zeros = np.zeros_like(z)
        self.state: dict[str, Array] = {
            "z": z,
            "first_moment": zeros,
            "second_moment": zeros,
            "step": _count(0),
            "evaluated_step": _count(-1),
            "response": _number(0),
            "prior": _number(0),
            "best_z": zeros,
            "best_objective": _number(NOWHERE_YET),
        }

    @property
    def inputs(self) -> dict[str, Array]:
        """What the next call is given."""
        return {**self.state, **self._settings}

    def is_done(self) -> bool:
        """Whether all steps were made and the last point was evaluated."""
        return int(self.state["evaluated_step"][0, 0]) >= self._steps

    def become(self, outputs: Mapping[str, Array]) -> None:
        """Takes over the state that a call led to."""
        self.state = {name.removeprefix(NEXT): value for name, value in outputs.items()}


@asynccontextmanager
async def _climbing(
    engine: Engine, model: str, rows: list[_Row], moved: asyncio.Event, deadline: float | None
) -> AsyncIterator[asyncio.Task[None]]:
    """A task that climbs with every row, ended with the block; it does not wait for whoever follows its progress."""

    async def climb(row: _Row) -> None:
        begun = False
        while not row.is_done():
            row.become(await engine.infer(model, row.inputs, deadline=deadline, begun=begun))
            begun = True
            moved.set()

    async def climb_all() -> None:
        async with asyncio.TaskGroup() as group:
            for row in rows:
                group.create_task(climb(row))

    task = asyncio.create_task(_first_error(climb_all()), name=f"ascent of {len(rows)} rows")
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


async def _example(
    engine: Engine, known: Ascents, question: MaximisationQuestion, index: int, row: _Row, deadline: float | None
) -> Example:
    """Where the row began and its best point, evaluated and, if asked for, heard."""
    points = np.concatenate([row.initial_z, row.state["best_z"]])
    inputs = {
        "z": points,
        "weights": np.repeat(_weights(known.channels[CLIMBERS[-1]], question.terms), len(points), axis=0),
        "position": np.repeat(_position(question), len(points), axis=0),
    }
    made = await engine.infer("generate", inputs, deadline=deadline, begun=True)
    sounds: Sequence[Floats | None] = [None] * len(points)
    if question.listen:
        sounds = await _heard(engine, known, made["log_mel"], question.seed, deadline)
    initial, found = (
        Point(
            response=float(made["response"][number, 0]),
            prior=float(made["prior"][number, 0]),
            probability=float(made["probability"][number, 0]),
            log_mel=made["log_mel"][number],
            audio=sounds[number],
        )
        for number in range(len(points))
    )
    return Example(index, initial, found)


async def _heard(engine: Engine, known: Ascents, log_mel: Floats, seed: int, deadline: float | None) -> list[Floats]:
    """Spectrograms as sound; the search for their phase begins at that of noise, the same for all."""
    noise = np.random.default_rng(seed).standard_normal((1, known.excerpt_samples), np.float32)
    inputs = {"log_mel": log_mel, "audio": np.repeat(noise, len(log_mel), axis=0)}
    made = await engine.infer("griffin_lim", inputs, deadline=deadline, begun=True)
    return list(made[f"{NEXT}audio"])


def _climber(known: Ascents, question: MaximisationQuestion) -> str:
    """The fastest model that knows every layer asked for.

    Raises:
        InvalidRequest: there is none, or a channel or the position does not exist.
    """
    wrong = [
        violation
        for number, term in enumerate(question.terms)
        for violation in _term_violations(known, term, f"terms[{number}]")
    ]
    wrong += _position_violations(known, question)
    if wrong:
        raise InvalidRequest(wrong)
    layers = {term.layer for term in question.terms}
    return next(model for model in CLIMBERS if layers <= known.channels[model].keys())


def _term_violations(known: Ascents, term: ResponseTerm, field: str) -> Iterator[Violation]:
    widths = known.channels[CLIMBERS[-1]]
    if term.layer not in widths:
        shown = f"is {term.layer[:SHOWN_CHARACTERS]!r}; the detector has {', '.join(widths)}"
        yield Violation(f"{field}.layer", shown)
    elif term.channel is not None and term.channel >= widths[term.layer]:
        yield Violation(f"{field}.channel", f"is {term.channel}; {term.layer} has 0 to {widths[term.layer] - 1}")


def _position_violations(known: Ascents, question: MaximisationQuestion) -> Iterator[Violation]:
    if question.position is None:
        return
    layers = {term.layer for term in question.terms}
    if len(layers) != 1 or not layers <= known.map_sizes.keys():
        yield Violation("position", f"needs terms of one of the layers {', '.join(known.map_sizes)}, and of no other")
        return
    sizes = known.map_sizes[layers.pop()]
    for name, place, size in zip(("frame", "band"), question.position, sizes, strict=True):
        if place >= size:
            yield Violation(f"position.{name}", f"is {place}; the layer has 0 to {size - 1}")


def _settings(known: Ascents, model: str, question: MaximisationQuestion) -> dict[str, Array]:
    """What stays the same from call to call."""
    settings: dict[str, Array] = {
        "steps": _count(question.settings.steps),
        "learning_rate": _number(question.settings.learning_rate),
        "prior_weight": _number(question.settings.prior_weight),
        "sign": _number(1 if question.direction == DIRECTIONS[0] else -1),
        "weights": _weights(known.channels[model], question.terms),
    }
    return settings if model != CLIMBERS[-1] else settings | {"position": _position(question)}


def _weights(widths: Mapping[str, int], terms: Sequence[ResponseTerm]) -> Floats:
    """`[1, C]` what every channel of every layer counts; terms that meet add up."""
    parts = {layer: np.zeros((1, width), np.float32) for layer, width in widths.items()}
    for term in terms:
        if term.channel is None:
            parts[term.layer] += term.weight / widths[term.layer]
        else:
            parts[term.layer][:, term.channel] += term.weight
    return np.concatenate(list(parts.values()), axis=1)


def _position(question: MaximisationQuestion) -> Array:
    return np.array([question.position or EVERYWHERE], np.int32)


def _count(value: int) -> Array:
    return np.full((1, 1), value, np.int32)


def _number(value: float) -> Floats:
    return np.full((1, 1), value, np.float32)
