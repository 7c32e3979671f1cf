"""FFmpeg's settings for the whole process: it is silent, and allocates no more at once than any sound needs."""

from __future__ import annotations

import ctypes

import av
import av._core
import av.logging

LARGEST_ALLOCATION_BYTES = 64 << 20  # as large as the largest file: headers claim chunks of gigabytes


def restrain() -> None:
    """Takes effect at once, for every file; PyAV has no call of its own for the second."""
    av.logging.set_level(None)
    limit = getattr(ctypes.CDLL(av._core.__file__), "av_max_alloc", None)
    if limit is not None:  # Windows finds no functions of the libraries that a library needs
        limit.argtypes, limit.restype = [ctypes.c_size_t], None
        limit(LARGEST_ALLOCATION_BYTES)
