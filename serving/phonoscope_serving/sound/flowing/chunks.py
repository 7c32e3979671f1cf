"""Chunks of bytes as a thread reads them: the next is asked for when the last is used up."""

from __future__ import annotations

from collections.abc import Callable

Next = Callable[[], bytes | None]  # the next chunk; None where there is none any more


class ChunkFile:
    """Chunks as one file that is read forward, and of which nothing is kept."""

    def __init__(self, following: Next) -> None:
        """Asks for nothing yet.

        Args:
            following: gives the next chunk, and may wait for it, or raise.
        """
        self._following = following
        self._held, self._at = b"", 0
        self._ended = False
        self.error: BaseException | None = None  # that `following` raised; FFmpeg does not pass errors on

    def read(self, most_bytes: int = -1) -> bytes:
        """What is at hand, or the next chunk: 1 byte to `most_bytes`; none at the end."""
        if self._at >= len(self._held) and not self._refill():
            return b""
        stop = len(self._held) if most_bytes < 0 else self._at + most_bytes
        piece = self._held[self._at : stop]
        self._at += len(piece)
        return piece

    def _refill(self) -> bool:
        self._held, self._at = b"", 0
        while not self._held and not self._ended:
            try:
                chunk = self._following()
            except BaseException as error:
                self.error, self._ended = error, True
                raise
            self._ended = chunk is None
            self._held = chunk or b""
        return bool(self._held)
