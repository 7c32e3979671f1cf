"""Memory that a training works in: kept from update to update.

The C library maps every large piece anew and hands it back as soon as it is free; each time the kernel fills it with
zeros, page by page. Activations are large, and an update asks for hundreds of them: more than half of the time of some
updates went there. What was freed is kept instead, and the next update finds it.
"""

from __future__ import annotations

import ctypes
import sys

LARGEST_KEPT_BYTES = 2**31 - 1  # larger pieces, such as whole corpora, are the system's own
NEVER = -1
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of malloc.h


def keep_freed() -> None:
    """Has the C library keep what is freed, for the rest of the process; where it is not GNU's, nothing changes."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if libc is not None and hasattr(libc, "mallopt"):
        libc.mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT_BYTES)
        libc.mallopt(M_TRIM_THRESHOLD, NEVER)
