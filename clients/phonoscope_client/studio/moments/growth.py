"""What a unit wants to hear, as it grows: the ascent to ever more steps, each a whole answer to look at and to keep.

The contract tells how far an ascent is, and what was found only at its end. The same start climbs the same way however
far it is to go; so it is asked for 1/8, 1/4, 1/2 and all of the steps, which costs less than twice the last alone, and
whoever stops keeps the picture and the sound of the last that was reached.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from phonoscope_client.aio import Client
from phonoscope_client.results.maximisation import Direction, Maximisation, MaximisationProgress
from phonoscope_client.results.parts import wav
from phonoscope_client.results.response import OUTPUT, ResponseTerm
from phonoscope_client.studio.moments.kept import Kept
from phonoscope_client.studio.moments.pictures import log_mel_picture

MOST_STEPS = 2000
_SHARES = (8, 4, 2, 1)

Part = Mapping[str, Any]


@dataclass(frozen=True)
class Unit:
    """What is to respond: a listener's answer, a layer's mean, or one of its features."""

    listener: str
    layer: str
    feature: int | None
    steps: int
    direction: Direction = "maximise"
    seed: int = 0

    @property
    def terms(self) -> tuple[ResponseTerm, ...]:
        """As `Client.maximise` takes it."""
        return () if self.layer == OUTPUT else (ResponseTerm(self.layer, self.feature),)


@dataclass
class Grown:
    """What was found for a unit, kept; its sound is made once somebody wants to hear it."""

    unit: Unit
    found: Maximisation
    sound: bytes | None = None
    making: asyncio.Lock = field(default_factory=asyncio.Lock)


async def growth(client: Client, unit: Unit, kept: Kept[Grown]) -> AsyncGenerator[Part]:
    """The steps, and pictures where one was reached; closing it ends the work.

    Raises:
        PhonoscopeError: the service does not do it.
    """
    reached = 0
    for share in _SHARES:
        steps = max(1, unit.steps // share)
        if steps <= reached and share != 1:
            continue
        told: asyncio.Queue[MaximisationProgress] = asyncio.Queue()
        work = asyncio.create_task(_ascent(client, unit, steps, told.put_nowait))
        try:
            while not work.done() or not told.empty():
                made = await _next(told, work)
                if made is not None and made.step[0] > reached:
                    reached = made.step[0]
                    yield {"kind": "step", "step": reached, "of": unit.steps, "activation": made.response[0]}
            grown = Grown(replace(unit, steps=steps), await work)
        finally:
            work.cancel()
        yield _found(grown, kept.keep(grown), unit.steps)


async def grown_sound(client: Client, grown: Grown) -> bytes | None:
    """How what was found sounds, as WAV: the same ascent once more, for it is heard where it ends."""
    async with grown.making:
        if grown.sound is None:
            heard = (await _ascent(client, grown.unit, grown.unit.steps, listen=True)).examples["1"].audio
            grown.sound = None if heard is None else wav(heard.samples, heard.sample_rate_hz)
    return grown.sound


async def _ascent(
    client: Client,
    unit: Unit,
    steps: int,
    on_progress: Callable[[MaximisationProgress], None] | None = None,
    *,
    listen: bool = False,
) -> Maximisation:
    return await client.maximise(
        unit.terms,
        direction=unit.direction,
        examples=1,
        seed=unit.seed,
        steps=steps,
        listen=listen,
        on_progress=on_progress,
        listener=unit.listener,
    )


async def _next(
    told: asyncio.Queue[MaximisationProgress], work: asyncio.Task[Maximisation]
) -> MaximisationProgress | None:
    """What is told next; None where the work ends first."""
    if not told.empty():
        return told.get_nowait()
    waiting = asyncio.create_task(told.get())
    try:
        await asyncio.wait({waiting, work}, return_when=asyncio.FIRST_COMPLETED)
        return waiting.result() if waiting.done() else None
    finally:
        waiting.cancel()


def _found(grown: Grown, number: str, steps: int) -> Part:
    example = grown.found.examples["1"]
    return {
        "kind": "end" if grown.unit.steps == steps else "step",
        "id": number,
        "step": grown.unit.steps,
        "of": steps,
        "activation": example.response,
        "probability": example.probability,
        "response": grown.found.response,
        "picture": log_mel_picture(example.log_mel),
        "sound": f"/api/units/{number}/sound",
    }
