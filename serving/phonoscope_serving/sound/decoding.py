"""Decoding beside the event loop, in a few threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from phonoscope_serving.errors import DeadlinePassed
from phonoscope_serving.sound.audio import AudioSource, PcmAudio, Recording
from phonoscope_serving.sound.opening import open_recording
from phonoscope_serving.sound.warning import SoundWarning
from phonoscope_serving.tensors import Floats

Result = TypeVar("Result")

AT_ONCE_BYTES = 256 << 10  # of samples that need no decoding: read in less time than a thread takes to answer


class Decoder:
    """Opens and reads recordings in threads."""

    def __init__(self, threads: int) -> None:
        """Starts no thread yet.

        Args:
            threads: recordings decoded at once.
        """
        self._pool = ThreadPoolExecutor(threads, "decode")

    async def read(self, source: AudioSource, work: Callable[[Recording], Result], deadline: float | None) -> Result:
        """Opens a source and reads from it what `work` reads.

        Args:
            source: the sound as it came.
            work: runs in a thread.
            deadline: on the event loop's clock, in seconds; reading stops there.

        Raises:
            InvalidRequest: the sound cannot be read.
            DeadlinePassed: `deadline` passed.
        """
        if isinstance(source, PcmAudio) and len(source.samples) <= AT_ONCE_BYTES:
            return work(open_recording(source))
        abandoned = threading.Event()

        def decode() -> Result:
            return work(_Abandonable(open_recording(source), abandoned))

        try:
            async with asyncio.timeout_at(deadline):
                return await asyncio.get_running_loop().run_in_executor(self._pool, decode)
        except TimeoutError:
            raise DeadlinePassed("the deadline passed while the audio was decoded") from None
        finally:
            abandoned.set()

    def close(self) -> None:
        """Lets running threads end; nothing new is taken."""
        self._pool.shutdown(wait=True, cancel_futures=True)


class _Abandonable:
    """A recording whose reading stops between two blocks once nobody waits for it."""

    def __init__(self, recording: Recording, abandoned: threading.Event) -> None:
        self._recording, self._abandoned = recording, abandoned
        self.field, self.samples = recording.field, recording.samples
        self.sample_rate_hz = recording.sample_rate_hz

    @property
    def warnings(self) -> tuple[SoundWarning, ...]:
        """See `Recording.warnings`."""
        return self._recording.warnings

    def blocks(self, start: int, stop: int) -> Iterator[Floats]:
        """See `Recording.blocks`."""
        for block in self._recording.blocks(start, stop):
            if self._abandoned.is_set():
                raise DeadlinePassed("nobody waits for this recording any more")
            yield block
