"""Memory: what nobody uses any more goes back to the system, and what is used stays at one size.

What graphs work in is kept from run to run: taking it anew costs more than some runs. It is as large as the largest
of them need, and stays so while anybody asks; where nobody has asked for a while, it is given back.
"""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable

QUIET_S = 10.0  # without a run, and what runs worked in is given back; the next takes it again, in about 10 ms
# The C library maps what is larger by itself, so that it goes back as soon as it is free, and never lies between what
# stays. Left alone, the library raises this bound to the largest piece that was ever freed, of 32 MiB: such pieces then
# lie in its heaps, which grew by 80 MB within a hundred calls and hardly shrank.
LARGE_BYTES = 2**20
TRIMMED_BYTES = LARGE_BYTES  # that many free at the end of a heap go back at once
# Else every thread has a heap of its own, up to eight a core, each with what its own calls once needed, in pieces.
HEAPS = 1
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of malloc.h


def keep_large_apart() -> None:
    """Has large pieces of memory be the system's own, one by one, and small ones share a heap, from here on."""
    if (libc := _gnu()) is not None:
        libc.mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
        libc.mallopt(M_TRIM_THRESHOLD, TRIMMED_BYTES)  # which else would follow the other
        libc.mallopt(M_ARENA_MAX, HEAPS)


def give_back() -> None:
    """Gives the system back what nobody uses; the C library keeps it where it is not told. It takes under 1 ms."""
    if (libc := _gnu()) is not None:
        libc.malloc_trim(0)


def _gnu() -> ctypes.CDLL | None:
    """The C library, where it is GNU's."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    return libc if libc is not None and hasattr(libc, "malloc_trim") else None


class Settling:
    """Gives memory back now and then: what is free at once, what runs work in once it is quiet."""

    def __init__(self, release: Callable[[], None]) -> None:
        """Nothing has run yet.

        Args:
            release: gives back what runs worked in.
        """
        self._release = release
        self._ran_s, self._is_settled, self._is_released = 0.0, True, True

    def ran(self) -> None:
        """Something was run."""
        self._ran_s, self._is_settled, self._is_released = time.monotonic(), False, False

    def settle(self, *, is_busy: bool) -> None:
        """Called again and again, from any thread.

        Args:
            is_busy: something is run right now.
        """
        is_quiet = not is_busy and time.monotonic() - self._ran_s > QUIET_S
        if is_quiet and not self._is_released:
            self._is_settled, self._is_released = False, True
            self._release()
        if not self._is_settled:
            self._is_settled = True
            give_back()
