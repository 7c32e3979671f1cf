"""Decoding beside the event loop, in threads that take turns."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import AsyncExitStack, aclosing
from typing import TypeVar

from phonoscope_serving.admission.places import Places
from phonoscope_serving.errors import DeadlinePassed
from phonoscope_serving.sound.audio import LIMITS, AudioLimits, AudioSource, Pause, PcmAudio, Recording
from phonoscope_serving.sound.flowing.chunks import ChunkFile
from phonoscope_serving.sound.opening import open_recording
from phonoscope_serving.sound.turns import Reading, Turns

Result = TypeVar("Result")

AT_ONCE_BYTES = 256 << 10  # of samples that need no decoding: read in less time than a thread takes to answer
MOST_READ, MOST_STREAMED = 32, 16  # recordings that are open: for one result, or piece by piece as they are asked for
MOST_WAITING = 256


class Decoder:
    """Opens and reads recordings in threads."""

    def __init__(self, threads: int, observe: Callable[[float], object] = lambda _: None) -> None:
        """Starts no thread yet.

        Args:
            threads: recordings decoded side by side; so many more may be open and wait for a turn.
            observe: told how many seconds each recording, or each piece of it, took; called in those threads.
        """
        self._observe = observe
        self._pool = ThreadPoolExecutor(MOST_READ + MOST_STREAMED, "decode")
        self._turns = Turns(threads)
        self._read = Places("be decoded", MOST_READ, MOST_WAITING)
        self._streamed = Places("be decoded piece by piece", MOST_STREAMED, MOST_WAITING)

    async def read(
        self, source: AudioSource, work: Callable[[Recording], Result], deadline: float | None, caller: str = ""
    ) -> Result:
        """Opens a source and reads from it what `work` reads.

        Args:
            source: the sound as it came.
            work: runs in a thread.
            deadline: on the event loop's clock, in seconds; reading stops there.
            caller: whose sound it is.

        Raises:
            InvalidRequest: the sound cannot be read.
            QueueFull: too many recordings wait to be decoded.
            DeadlinePassed: `deadline` passed.
        """
        if is_read_at_once(source):
            return work(open_recording(source))
        reading = Reading(self._turns)

        async def read() -> Result:
            async with self._read.place(caller):
                return await self._in_turn(reading, lambda: work(open_recording(source, pause=reading.pause)))

        try:
            return await _by(deadline, read())
        finally:
            reading.abandon()

    async def stream(
        self,
        source: AudioSource,
        work: Callable[[Recording], Iterator[Result]],
        deadline: float | None,
        caller: str = "",
        limits: AudioLimits = LIMITS,
    ) -> AsyncGenerator[Result]:
        """Opens a source and reads from it piece by piece, one ahead of what is asked for.

        Args:
            source: the sound as it came.
            work: gives the pieces; each is made in a thread.
            deadline: on the event loop's clock, in seconds; reading stops there.
            caller: whose sound it is.
            limits: what is taken on.

        Raises:
            RequestError: see `read`.
        """
        reading = Reading(self._turns)

        def opened() -> Iterator[Result]:
            return work(open_recording(source, limits=limits, pause=reading.pause))

        async with aclosing(self._pieces(reading, opened, deadline, caller)) as pieces:
            async for piece in pieces:
                yield piece

    async def flow(
        self,
        chunks: AsyncIterator[bytes],
        work: Callable[[ChunkFile, Pause], Iterator[Result]],
        deadline: float | None,
        caller: str = "",
    ) -> AsyncGenerator[Result]:
        """Reads chunks piece by piece, one ahead of what is asked for, and takes no more chunks than that needs.

        Args:
            chunks: of one file, or of plain samples.
            work: gives the pieces of it, and calls its pause between two pieces of work; each is made in a thread.
            deadline: on the event loop's clock, in seconds; reading stops there.
            caller: whose sound it is.

        Raises:
            RequestError: see `read`; whatever `chunks` raises.
        """
        reading, loop = Reading(self._turns), asyncio.get_running_loop()
        asked: list[Future[bytes | None]] = []

        async def following() -> bytes | None:
            return await anext(chunks, None)

        def next_chunk() -> bytes | None:
            with reading.away():
                asked[:] = [asyncio.run_coroutine_threadsafe(following(), loop)]
                try:
                    return asked[0].result()
                except CancelledError:
                    raise DeadlinePassed("nobody waits for this sound any more") from None

        def opened() -> Iterator[Result]:
            return work(ChunkFile(next_chunk), reading.pause)

        try:
            async with aclosing(self._pieces(reading, opened, deadline, caller)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            for waiting in asked:
                waiting.cancel()

    async def _pieces(
        self, reading: Reading, opened: Callable[[], Iterator[Result]], deadline: float | None, caller: str
    ) -> AsyncGenerator[Result]:
        async with AsyncExitStack() as held:
            held.callback(reading.abandon)
            await _by(deadline, held.enter_async_context(self._streamed.place(caller)))
            pieces = await _by(deadline, self._in_turn(reading, opened))
            following = self._in_turn(reading, lambda: next(pieces, None))
            try:
                while (piece := await _by(deadline, following)) is not None:
                    following = self._in_turn(reading, lambda: next(pieces, None))
                    yield piece
            finally:
                following.cancel()

    def _in_turn(self, reading: Reading, work: Callable[[], Result]) -> asyncio.Future[Result]:
        def run() -> Result:
            with reading.turn():
                began_s = time.perf_counter()
                try:
                    return work()
                finally:
                    self._observe(time.perf_counter() - began_s)

        return asyncio.get_running_loop().run_in_executor(self._pool, run)

    def close(self) -> None:
        """Lets running threads end; nothing new is taken."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def is_read_at_once(source: AudioSource) -> bool:
    """Whether reading it is as good as nothing."""
    return isinstance(source, PcmAudio) and len(source.samples) <= AT_ONCE_BYTES


async def _by(deadline: float | None, awaited: Awaitable[Result]) -> Result:
    try:
        async with asyncio.timeout_at(deadline):
            return await awaited
    except TimeoutError:
        raise _too_late() from None


def _too_late() -> DeadlinePassed:
    return DeadlinePassed("the deadline passed while the audio was decoded")
