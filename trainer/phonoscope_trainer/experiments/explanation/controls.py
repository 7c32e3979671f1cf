"""Regions that explain nothing, to compare an explanation's with: each can be had in any area.

A control orders an excerpt's bins; its region of k bins is the first k. So it has exactly the area it is compared at.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from phonoscope_trainer.graphs.control_regions import SMOOTHNESS

# Log-mel `[B, T, M]` and a random generator to scores `[B, T, M]`; bins with the highest scores join first.
Control = Callable[[Tensor, np.random.Generator], Tensor]


def random_bins(log_mel: Tensor, rng: np.random.Generator) -> Tensor:
    """Every bin for itself."""
    return torch.from_numpy(rng.random(log_mel.shape, np.float32))


def random_block(log_mel: Tensor, rng: np.random.Generator) -> Tensor:
    """A smooth random field, as coherent as an explanation; another for every excerpt."""
    noise = rng.standard_normal(log_mel.shape)
    return torch.from_numpy(gaussian_filter(noise, (0.0, *SMOOTHNESS)).astype(np.float32))


def energy_threshold(log_mel: Tensor, rng: np.random.Generator) -> Tensor:  # noqa: ARG001  # same signature as the others
    """The loudest bins."""
    return log_mel


def low_band(log_mel: Tensor, rng: np.random.Generator) -> Tensor:  # noqa: ARG001  # same signature as the others
    """Everything below one frequency."""
    return -torch.arange(log_mel.shape[2], dtype=log_mel.dtype).expand_as(log_mel)


CONTROLS: dict[str, Control] = {
    control.__name__: control for control in (random_bins, random_block, energy_threshold, low_band)
}


def shifted(region: Tensor) -> Tensor:
    """`region` `[B, T, M]` half an excerpt later; what would lie beyond its end begins anew."""
    return region.roll(region.shape[1] // 2, dims=1)


def ranks(scores: Tensor) -> Tensor:
    """`[B, T, M]` integers from 0, the highest of `scores` `[B, T, M]` first; of equal ones the earlier bin."""
    order = scores.flatten(1).argsort(dim=1, descending=True, stable=True)
    return order.argsort(dim=1).view(scores.shape)


def first_bins(ranked: Tensor, counts: Tensor) -> Tensor:
    """`[B, T, M]` regions (bool) of the first `counts` `[B]` bins each, by their ranks `[B, T, M]`."""
    return ranked < counts[:, None, None]
