"""What a unit wants to hear, as it grows: the ascent to ever more steps, each a whole answer to look at and to keep.

The contract tells how far an ascent is, and what was found only at its end. The same start climbs the same way however
far it is to go; so it is asked for 1/8, 1/4, 1/2 and all of the steps, which costs less than twice the last alone, and
whoever stops keeps the picture and the sound of the last that was reached.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
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


async def growth(client: Client, unit: Unit, sounds: Kept[bytes]) -> AsyncGenerator[Part]:
    """The steps, pictures where one was reached, and the sound at the end; closing it ends the work.

    Raises:
        PhonoscopeError: the service does not do it.
    """
    reached = 0
    for share in _SHARES:
        steps = max(1, unit.steps // share)
        if steps <= reached and share != 1:
            continue
        told: asyncio.Queue[MaximisationProgress] = asyncio.Queue()
        work = asyncio.create_task(_ascent(client, unit, steps, told))
        try:
            while not work.done() or not told.empty():
                made = await _next(told, work)
                if made is not None and made.step[0] > reached:
                    reached = made.step[0]
                    yield {"kind": "step", "step": reached, "of": unit.steps, "activation": made.response[0]}
            found = await work
        finally:
            work.cancel()
        yield _found(found, reached, unit, sounds, is_last=share == 1)


async def _ascent(client: Client, unit: Unit, steps: int, told: asyncio.Queue[MaximisationProgress]) -> Maximisation:
    return await client.maximise(
        unit.terms,
        direction=unit.direction,
        examples=1,
        seed=unit.seed,
        steps=steps,
        listen=True,
        on_progress=told.put_nowait,
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


def _found(found: Maximisation, step: int, unit: Unit, sounds: Kept[bytes], *, is_last: bool) -> Part:
    example = found.examples["1"]
    sound = example.audio
    number = None if sound is None else sounds.keep(wav(sound.samples, sound.sample_rate_hz))
    return {
        "kind": "end" if is_last else "step",
        "step": step,
        "of": unit.steps,
        "activation": example.response,
        "probability": example.probability,
        "response": found.response,
        "picture": log_mel_picture(example.log_mel),
        "sound": None if number is None else f"/api/sounds/{number}",
    }
