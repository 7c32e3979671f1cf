"""A file that is still being sent: whoever reads it is given what is there, and waits for what is yet to come."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from phonoscope_client.errors import invalid
from phonoscope_client.transport.chunks import CHUNK_BYTES


class Arriving:
    """One file. What writes to it is one thread; any number may iterate over its chunks, each from its start.

    Args:
        path: of the file, which is made.
        size_bytes: how large it will be; None where nobody knows.

    Raises:
        FileExistsError: there is such a file.
    """

    def __init__(self, path: Path, size_bytes: int | None) -> None:
        self.path, self.size_bytes = path, size_bytes
        self._file: BinaryIO = path.open("xb", buffering=0)  # what is written can be read at once
        self._written, self._ended, self._is_whole = 0, False, False
        self._more = threading.Condition()

    @property
    def is_whole(self) -> bool:
        """Whether all of it is there."""
        return self._is_whole

    def write(self, chunk: bytes) -> None:
        """Adds what has come."""
        self._file.write(chunk)
        with self._more:
            self._written += len(chunk)
            self._more.notify_all()

    def end(self, *, whole: bool) -> None:
        """Adds nothing any more; where it is not whole, those who read it are told. The first end counts."""
        self._file.close()
        with self._more:
            if not self._ended:
                self._ended, self._is_whole = True, whole
            self._more.notify_all()

    def __iter__(self) -> Iterator[bytes]:
        """Its chunks, from the start.

        Raises:
            InvalidInputError: it broke off.
        """
        with self.path.open("rb", buffering=0) as file:
            at = 0
            while chunk := file.read(min(CHUNK_BYTES, self._there(at + CHUNK_BYTES) - at)):
                yield chunk
                at += len(chunk)

    def _there(self, wanted: int) -> int:
        """How much is there, once that is as much as is wanted, or all."""
        with self._more:
            self._more.wait_for(lambda: self._ended or self._written >= wanted)
            if self._ended and not self._is_whole:
                raise invalid("song", "it broke off on its way")
            return self._written
