"""Memory that nobody uses any more."""

from __future__ import annotations

import ctypes
import sys


def give_back() -> None:
    """Gives the system back what loading and unloading have left; the C library keeps it where it is not told."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):  # as GNU's has
        libc.malloc_trim(0)
