"""The inverter of any layer of any listener: its activation back to the picture that caused it (ISMIR 2018).

The layers of the detector have inverters with a table of their own (`feature_inverters`). Of a network that nobody here
wrote, how often the picture must double, and how wide each step is, follow from the layer's shape: maps climb from
their own resolution to the picture's; features without positions are first laid out as a small map.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

FINEST_WIDTH, WIDEST = 8, 64  # channels at the picture's own resolution, and at most
SEED = (8, 6)  # frames and bands, at most, of the map that features without positions are laid out as
FIRST_PICTURE = 0.1  # the last kernel times this, so that training begins near the mean excerpt


def sizes_between(start: tuple[int, int], picture: tuple[int, int]) -> list[tuple[int, int]]:
    """Doubled until it is the picture's, without the start; at least one."""
    found = [(min(2 * start[0], picture[0]), min(2 * start[1], picture[1]))]
    while found[-1] != picture:
        frames, bands = found[-1]
        found.append((min(2 * frames, picture[0]), min(2 * bands, picture[1])))
    return found


def seed_of(picture: tuple[int, int]) -> tuple[int, int]:
    """The smallest map from which doubling leads to a picture."""

    def halved(size: int, most: int) -> int:
        halvings = max(0, math.ceil(math.log2(size / most)))
        return -(-size // (1 << halvings))

    return halved(picture[0], SEED[0]), halved(picture[1], SEED[1])


class LayerInverter(nn.Module):
    """The activation of one layer to log-mel `[B, T, M]`.

    Args:
        shape: of the activation, without the batch axis: `[C, T', M']`, `[C, T']`, or features `[C]`.
        picture: T and M.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, shape: Sequence[int], picture: tuple[int, int]) -> None:
        super().__init__()
        self.shape, self.picture = tuple(shape), picture
        has_positions = len(shape) > 1
        start = (
            (min(shape[1], picture[0]), min(math.prod(shape[2:]), picture[1])) if has_positions else seed_of(picture)
        )
        self.start, self.sizes = start, sizes_between(start, picture)
        widths = [min(WIDEST, FINEST_WIDTH << (len(self.sizes) - number)) for number in range(len(self.sizes) + 1)]
        self.scale = nn.BatchNorm2d(shape[0]) if has_positions else nn.BatchNorm1d(shape[0])
        self.enter: nn.Module = (
            nn.Conv2d(shape[0], widths[0], 1) if has_positions else nn.Linear(shape[0], widths[0] * math.prod(start))
        )
        self.steps = nn.ModuleList(
            nn.Conv2d(before, after, 3, padding=1) for before, after in itertools.pairwise(widths)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in widths[1:])
        self.draw = nn.Conv2d(widths[-1], 1, 3, padding=1)
        with torch.no_grad():
            self.draw.weight.mul_(FIRST_PICTURE)
        self.register_buffer("mean", torch.zeros(picture[1]))  # of each band's log-mel, over music
        self.register_buffer("std", torch.ones(picture[1]))

    def standardised(self, activation: Tensor) -> Tensor:
        """`[B, T, M]` the log-mel in standard deviations from each band's mean, of `activation` `[B, C, …]`."""
        if len(self.shape) > 1:
            maps = activation.unsqueeze(-1) if activation.ndim == 3 else activation.flatten(3)
            x = self.enter(self.scale(maps))
        else:
            x = self.enter(self.scale(activation)).unflatten(1, (-1, *self.start))
        x = F.elu(x)
        for step, norm, size in zip(self.steps, self.norms, self.sizes, strict=True):
            x = F.elu(norm(step(F.interpolate(x, size=size, mode="bilinear", align_corners=False))))
        drawn: Tensor = self.draw(x)[:, 0]
        return drawn

    def forward(self, activation: Tensor) -> Tensor:
        """Log-mel `[B, T, M]` of `activation` `[B, C, …]`."""
        return self.standardised(activation) * self.std + self.mean
