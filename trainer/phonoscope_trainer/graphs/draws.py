"""Draws inside graphs: whole numbers that a seed decides, the same on every device.

Runtimes draw random numbers each in their own way, so graphs compute theirs.
"""

from __future__ import annotations

import torch
from torch import Tensor

SIZE = 512  # how many values `number_of` tells apart; a power of two
STATES = SIZE * SIZE
# A linear congruential generator of full period: odd increment, and a multiplier of 1 above a multiple of 4 (Hull &
# Dobell 1962), small enough for a product of 31 bits.
MULTIPLIER, INCREMENT = 7213, 12345


def first_state(seed: Tensor) -> Tensor:
    """The state that int32 `seed`, 0 or more, begins with; neighbouring seeds part."""
    return next_state(next_state(torch.fmod(seed, STATES)))


def next_state(state: Tensor) -> Tensor:
    """The state that follows."""
    return torch.fmod(state * MULTIPLIER + INCREMENT, STATES)


def number_of(state: Tensor) -> Tensor:
    """The number from 0 to 511 in the upper bits of a state; the lower ones repeat soon."""
    return state // SIZE


def number_below(state: Tensor, count: int) -> Tensor:
    """A number from 0 to `count` - 1, at most 511: by size, not by remainder, so that upper bits decide."""
    return number_of(state) * count // SIZE
