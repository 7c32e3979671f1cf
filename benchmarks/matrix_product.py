"""How fast the processor multiplies matrices in float32: what networks are held against."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

SIZE = 2048  # rows and columns


def peak() -> float:
    """Multiply-adds a second of a matrix product, the faster of two libraries."""
    square = np.random.default_rng(0).standard_normal((SIZE, SIZE), np.float32)
    tensor = torch.from_numpy(square)
    return SIZE**3 / min(seconds_of(lambda: square @ square), seconds_of(lambda: tensor @ tensor))


def seconds_of(run: Callable[[], object]) -> float:
    """How long something takes."""
    began_s = time.perf_counter()
    run()
    return time.perf_counter() - began_s
