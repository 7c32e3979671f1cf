"""One call while it is answered: what answers it, and until when."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from phonoscope_serving import tracing
from phonoscope_serving.admission.work import NOBODYS, Work
from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.bundle.front_end import FrontEnd
from phonoscope_serving.bundle.listeners.listener import Listener
from phonoscope_serving.engines.engine import Engine
from phonoscope_serving.engines.remembered import Remembered
from phonoscope_serving.errors import DeadlinePassed
from phonoscope_serving.sound.audio import LIMITS, AudioLimits, AudioSource, Pause, Recording, digest
from phonoscope_serving.sound.decoding import Decoder, Result, is_read_at_once
from phonoscope_serving.sound.excerpt import Excerpt, excerpt_around
from phonoscope_serving.sound.flowing.chunks import ChunkFile
from phonoscope_serving.tensors import Array, Tensors


@dataclass(frozen=True)
class Call:
    """What answers one call, and how long its caller waits."""

    engine: Engine  # runs the bundle's graphs
    bundle: Bundle
    decoder: Decoder  # reads recordings
    deadline: float | None = None  # on the event loop's clock, in seconds; None waits for ever
    work: Work = NOBODYS  # what it is charged to
    asked: Listener | None = None  # of the bundle; None for its first
    remembered: Remembered | None = None  # of the bundle; None where nothing is

    @property
    def listener(self) -> Listener:
        """The listener that is asked."""
        return self.asked or self.bundle.default

    async def infer(
        self, model: str, inputs: Tensors, *, outputs: Collection[str] | None = None, continues: bool = False
    ) -> dict[str, Array]:
        """Runs one model or ensemble of the bundle; see `Engine.infer`."""
        with tracing.span(f"infer {model}"):
            return await self.engine.infer(
                model, inputs, outputs=outputs, deadline=self.deadline, continues=continues, work=self.work
            )

    @property
    def left_s(self) -> float:
        """How long its caller still waits, in seconds."""
        if self.deadline is None:
            return math.inf
        return max(0.0, self.deadline - asyncio.get_running_loop().time())

    def measured(self, units: float) -> None:
        """Takes note of how much the call asks for, once that is known; see `Work.units`.

        Raises:
            DeadlinePassed: that cannot be done in time.
        """
        self.work.measure(units)
        now_s = asyncio.get_running_loop().time()
        if self.deadline is not None and now_s + self.work.left_s > self.deadline:
            raise DeadlinePassed(f"{self.deadline - now_s:.3f} s are left, and this takes {self.work.left_s:.3f} s")

    async def read(self, source: AudioSource, work: Callable[[Recording], Result]) -> Result:
        """Reads from a recording what `work` reads; see `Decoder.read`."""
        with tracing.span("read"):
            return await self.decoder.read(source, work, self.deadline, self.work.caller)

    def stream(
        self, source: AudioSource, work: Callable[[Recording], Iterator[Result]], limits: AudioLimits = LIMITS
    ) -> AsyncGenerator[Result]:
        """Reads a recording piece by piece; see `Decoder.stream`."""
        return self.decoder.stream(source, work, self.deadline, self.work.caller, limits)

    def flow(
        self, chunks: AsyncIterator[bytes], work: Callable[[ChunkFile, Pause], Iterator[Result]]
    ) -> AsyncGenerator[Result]:
        """Reads sound that comes in chunks piece by piece; see `Decoder.flow`."""
        return self.decoder.flow(chunks, work, self.deadline, self.work.caller)

    async def excerpt(self, source: AudioSource, front_end: FrontEnd, at_s: float) -> Excerpt:
        """Reads the excerpt around one moment of a recording; see `excerpt_around` and `Decoder.read`."""

        async def read() -> Excerpt:
            return await self.read(source, lambda recording: excerpt_around(recording, front_end, at_s))

        if self.remembered is None or is_read_at_once(source):
            return await read()
        key = (await asyncio.to_thread(digest, source), front_end, at_s)

        async def make(keys: Sequence[_ExcerptKey]) -> Mapping[_ExcerptKey, Excerpt]:
            return {keys[0]: await read()}

        found = await self.remembered.each(
            [key], make, lambda excerpt: excerpt.samples.nbytes, work=self.work, deadline=self.deadline
        )
        return found[key]


_ExcerptKey = tuple[bytes, FrontEnd, float]
