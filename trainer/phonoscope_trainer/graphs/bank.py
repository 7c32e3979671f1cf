"""The bank: excerpts of other music of both answers, small enough to be constants of graphs.

Log-mel in steps of about two thirds of a decibel, as bytes; the relevance of each bin to the answer as its rank; and
of some excerpts the sound, 16 bits a sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from phonoscope_trainer.graphs.description import EXCERPT, EXCERPT_SAMPLES
from phonoscope_trainer.graphs.exchange import LN_FLOOR

BINS = EXCERPT[0] * EXCERPT[1]
LARGEST_BYTE = 255
FULL_SCALE = 32768  # of 16-bit sound


@dataclass(frozen=True, slots=True)
class Bank:
    """Excerpts by their answer: row 0 those without singing, row 1 those that are sung.

    A batch of the bank is a row number that `of` gives: an answer, and a number below `excerpts`.
    """

    log_mel: Tensor  # uint8 `[2, E, 115, 80]`, in steps above the floor
    step: float  # natural logarithm
    ranks: Tensor  # int16 `[2, E, 115, 80]`, 0 the least relevant bin
    sound: Tensor  # int16 `[2, S, N]` of the first S excerpts

    @property
    def excerpts(self) -> int:
        """Of each answer."""
        return self.log_mel.shape[1]

    @property
    def sounds(self) -> int:
        """Of each answer, of those excerpts."""
        return self.sound.shape[1]


def packed(log_mel: Tensor, relevance: Tensor, samples: Tensor) -> Bank:
    """A bank of `log_mel` `[2, E, 115, 80]`, `relevance` likewise, and `samples` `[2, S, N]` in [-1, 1]."""
    step = float(log_mel.max() - LN_FLOOR) / LARGEST_BYTE
    steps = torch.round((log_mel - LN_FLOOR) / step).clamp(0, LARGEST_BYTE)
    ranks = relevance.flatten(2).argsort(dim=2, stable=True).argsort(dim=2)
    return Bank(
        steps.to(torch.uint8),
        step,
        ranks.view_as(relevance).to(torch.int16),
        torch.round(samples * FULL_SCALE).clamp(-FULL_SCALE, FULL_SCALE - 1).to(torch.int16),
    )


def unpacked(steps: Tensor, step: float) -> Tensor:
    """Log-mel `[..., 115, 80]` float32 of the bytes that a bank holds."""
    return LN_FLOOR + step * steps.float()


def empty_bank(excerpts: int, sounds: int) -> Bank:
    """A bank of silence, to describe graphs by."""
    silence = torch.full((2, excerpts, *EXCERPT), LN_FLOOR + 1)
    return packed(silence, torch.zeros_like(silence), torch.zeros(2, sounds, EXCERPT_SAMPLES))
