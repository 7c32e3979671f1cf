"""The bank of a listener with many labels: excerpts of other music, and which labels each of them has.

As `bank`: log-mel as bytes, relevance as its rank, coarser here, and of some excerpts the sound, 16 bits a sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.graphs.bank import FULL_SCALE, LARGEST_BYTE
from phonoscope_trainer.graphs.exchange import LN_FLOOR

LEVELS = 256  # of relevance that a byte tells apart


@dataclass(frozen=True, slots=True)
class LabelledBank:
    """Excerpts, and for each the label that its relevance speaks for."""

    log_mel: Tensor  # uint8 `[E, T, M]`, in steps above the floor
    step: float  # natural logarithm
    levels: Tensor  # uint8 `[E, T, M]`: shares of bins that are less relevant, in 256ths
    has: NDArray[np.bool_]  # `[E, K]` which labels each has
    explained: NDArray[np.int64]  # `[E]` the label that its relevance speaks for
    sound: Tensor  # int16 `[S, N]`
    sounding: NDArray[np.int64]  # `[S]` the excerpts' numbers

    @property
    def picture(self) -> tuple[int, int]:
        """Frames and bands of an excerpt."""
        frames, bands = self.log_mel.shape[1:]
        return int(frames), int(bands)


def packed_with_labels(
    log_mel: Tensor,
    relevance: Tensor,
    has: NDArray[np.bool_],
    explained: Sequence[int],
    samples: Tensor,
    sounding: Sequence[int],
) -> LabelledBank:
    """A bank.

    Args:
        log_mel: `[E, T, M]`.
        relevance: `[E, T, M]`, to the label `explained`.
        has: `[E, K]` which labels the listener gives each.
        explained: `[E]` numbers of labels.
        samples: `[S, N]` in [-1, 1].
        sounding: `[S]` numbers of the excerpts they are the sound of.
    """
    step = float(log_mel.max() - LN_FLOOR) / LARGEST_BYTE
    steps = torch.round((log_mel - LN_FLOOR) / step).clamp(0, LARGEST_BYTE)
    rank = relevance.flatten(1).argsort(dim=1, stable=True).argsort(dim=1).view_as(relevance)
    return LabelledBank(
        steps.to(torch.uint8),
        step,
        (rank * LEVELS // rank[0].numel()).to(torch.uint8),
        has,
        np.asarray(explained),
        torch.round(samples * FULL_SCALE).clamp(-FULL_SCALE, FULL_SCALE - 1).to(torch.int16),
        np.asarray(sounding),
    )


class Sides(nn.Module):
    """Which excerpts may be hosts of a label, and which have it: tables of numbers, each as long as it need be.

    Args:
        has: `[E, K]` which labels each excerpt has.
        explained: `[E]` the label that its relevance speaks for.

    Raises:
        ExportError: a label has fewer than two hosts: there must be a host, and a third excerpt.
    """

    hosts: Tensor
    host_count: Tensor
    others: Tensor
    other_count: Tensor

    def __init__(self, has: NDArray[np.bool_], explained: NDArray[np.int64]) -> None:
        super().__init__()
        excerpts, labels = has.shape
        self.labels = labels
        hosts = [_hosts(has, label, contrast) for label in range(labels) for contrast in range(-1, labels)]
        if min(map(len, hosts)) < 2:
            raise ExportError(f"bank: of {excerpts} excerpts each label needs two without it, of which none is too few")
        others = [_others(explained, label) for label in range(labels)]
        for name, rows in {"host": hosts, "other": others}.items():
            table = torch.from_numpy(np.stack([np.resize(row, excerpts) for row in rows]))
            self.register_buffer(f"{name}s", table, persistent=False)
            count = torch.tensor([[len(row)] for row in rows], dtype=torch.int32)
            self.register_buffer(f"{name}_count", count, persistent=False)

    def host_row(self, label: Tensor, contrast: Tensor) -> Tensor:
        """`[B]` the row of `hosts` of a label and its contrast, int32 `[B, 1]`."""
        row: Tensor = label * (self.labels + 1) + contrast + 1
        return row.squeeze(1).long()


def _hosts(has: NDArray[np.bool_], label: int, contrast: int) -> NDArray[np.int64]:
    """Music that has not the label, and has the contrast, where there is one and there is enough such music."""
    without = ~has[:, label]
    if contrast >= 0 and (without & has[:, contrast]).sum() >= 2:
        without &= has[:, contrast]
    return np.flatnonzero(without)


def _others(explained: NDArray[np.int64], label: int) -> NDArray[np.int64]:
    """Music whose relevance speaks for the label; any, where there is none."""
    found = np.flatnonzero(explained == label)
    return found if len(found) else np.arange(len(explained))
