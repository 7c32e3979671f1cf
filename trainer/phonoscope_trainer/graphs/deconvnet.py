"""The deconvnet: what in a picture made a feature map of a convolutional network answer (Zeiler & Fergus, ECCV 2014).

    picture ─ convolution, rectifier, pool ─ … ─▶ feature maps
                                                   │ all but one set to zero
    picture ◀─ turned kernels, rectifier, un-pool ─┘

On the way back un-pooling puts each value where the maximum was on the way there, the rectifier is the network's own,
kernels are transposed and biases left out; the last picture is not rectified. A leaky network rectifies leakily on the
way back, too: what its maps can be, its reconstructions can be. As Choi et al. (2016) do, a map is kept whole, and
where its convolution is pooled, at the output of the pool.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phonoscope_trainer.networks.stages import Convolution, Stage


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """A convolution with its rectifier and the pool behind it."""

    name: str  # the convolution's
    convolution: nn.Conv2d
    slope: float  # of the rectifier below 0
    pool: int = 1  # positions along each side of a square that become one; 1 where nothing is pooled


@dataclass(frozen=True, slots=True, eq=False)
class Reached:
    """Where the way there came to at one level."""

    maps: Tensor  # `[B, C, T', F']`, pooled
    switches: Tensor  # `[B, C, T'·pool, F'·pool]`: 1 where a maximum was, 0 elsewhere
    pooled_from: tuple[int, int]  # frames and bins before the pool


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """What the ways back start with at one level."""

    maps: Tensor  # `[B, C, T', F']`
    which: Tensor  # `[B, R, C]`: 1 for the map that row r starts with, 0 for others; all 0 where it starts elsewhere


class Deconvnet(nn.Module):
    """One way there, and from it any number of ways back.

    Args:
        stages: the network's, from its input on; fully connected layers have none.
    """

    def __init__(self, stages: Iterable[Stage]) -> None:
        super().__init__()
        self.levels = levels(stages)
        self.convolutions = nn.ModuleList(level.convolution for level in self.levels)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the convolutions whose features can be kept, first to deepest."""
        return tuple(level.name for level in self.levels)

    def reach(self, picture: Tensor) -> list[Reached]:
        """Every level's feature maps and switches for `picture` `[B, T, F]`."""
        maps, found = picture.unsqueeze(1), []
        for level in self.levels:
            maps = rectified(level.convolution(maps), level.slope)
            found.append(pooled(maps, level.pool))
            maps = found[-1].maps
        return found

    def pictures(self, reached: Sequence[Reached], kept: Sequence[Kept | None]) -> Tensor:
        """What comes back of each picture, `[B, R, T, F]`: R ways back for each of the B ways there.

        Args:
            reached: the ways there.
            kept: what enters the ways back at each level; None where nothing does. Each way back has one entry.
        """
        signal: Tensor | None = None
        for level, at, entry in reversed(list(zip(self.levels, reached, kept, strict=True))):
            if entry is not None:
                enters = entry.maps.unsqueeze(1) * entry.which[:, :, :, None, None]
                signal = enters if signal is None else signal + enters
            if signal is not None:
                signal = below(level, at, signal)
        assert signal is not None
        return signal[:, :, 0]

    def heard_by(self, picture: Tensor, layer: str, features: Sequence[int]) -> Tensor:
        """What each of some features of one layer hears of `picture` `[B, T, F]`: `[B, len(features), T, F]`."""
        depth = self.layers.index(layer)
        reached = self.reach(picture)
        maps = reached[depth].maps
        one_each = torch.eye(maps.shape[1], dtype=maps.dtype, device=maps.device)[list(features)]
        kept: list[Kept | None] = [None] * len(self.levels)
        kept[depth] = Kept(maps, one_each.expand(len(maps), -1, -1))
        return self.pictures(reached, kept)


def levels(stages: Iterable[Stage]) -> tuple[Level, ...]:
    """A network's convolutions, each with the pool that may follow it."""
    found: list[Level] = []
    for stage in stages:
        if isinstance(stage, Convolution):
            found.append(Level(stage.name, stage.layer, stage.slope))
        else:
            last = found.pop()
            assert last.pool == 1
            found.append(Level(last.name, last.convolution, last.slope, stage.size))
    return tuple(found)


def rectified(maps: Tensor, slope: float) -> Tensor:
    """Values above 0, and `slope` times those below."""
    return F.leaky_relu(maps, slope) if slope else F.relu(maps)


def pooled(maps: Tensor, size: int) -> Reached:
    """Maxima of `size` × `size` squares of `maps` `[B, C, T, F]`, and where they were: of several, the first."""
    frames, bins = (side // size for side in maps.shape[2:])
    squares = maps[:, :, : frames * size, : bins * size].unflatten(3, (bins, size)).unflatten(2, (frames, size))
    flat = squares.transpose(3, 4).flatten(4)
    first = flat.argmax(dim=-1, keepdim=True)
    one_hot = (torch.arange(size * size, device=maps.device) == first).to(maps.dtype)
    switches = one_hot.unflatten(4, (size, size)).transpose(3, 4).flatten(4, 5).flatten(2, 3)
    return Reached(flat.amax(dim=-1), switches, (int(maps.shape[2]), int(maps.shape[3])))


def below(level: Level, at: Reached, signal: Tensor) -> Tensor:
    """One level back: from `[B, R, C, T', F']` after the pool to `[B, R, C', T, F]` before the convolution."""
    rows = signal.shape[:2]
    signal = rectified(signal, level.slope)
    one_map = level.convolution.in_channels == 1
    spread = _patched if one_map and level.pool > 1 else _spread
    back: Tensor = spread(level, at, signal).unflatten(0, rows)
    return back


def _spread(level: Level, at: Reached, signal: Tensor) -> Tensor:
    """Un-pooled, each value all over its square but for the switches, then convolved with the turned kernels.

    Returns:
        `[B·R, C', T, F]`.
    """
    maps = signal.flatten(0, 1)
    if level.pool > 1:
        squares = F.interpolate(maps, scale_factor=level.pool, mode="nearest").unflatten(0, signal.shape[:2])
        maps = (squares * at.switches.unsqueeze(1)).flatten(0, 1)
    rest = [whole - covered for whole, covered in zip(at.pooled_from, maps.shape[2:], strict=True)]
    if any(rest):
        maps = F.pad(maps, (0, rest[1], 0, rest[0]))
    return F.conv_transpose2d(maps, level.convolution.weight, padding=_padding(level))


def _patched(level: Level, at: Reached, signal: Tensor) -> Tensor:
    """The same where all maps add up to a single one, which leaves a convolution too little to do at a time.

    A pooled value reaches the patch that the kernel covers from its square. For each place in the square, a matrix
    product takes the values that belong there to their patches; then patches are added up where they overlap.
    """
    size, (tall, wide) = level.pool, level.convolution.kernel_size
    weight = level.convolution.weight[:, 0]
    patches: Tensor | None = None
    for dt in range(size):
        for df in range(size):
            places = F.pad(weight, (df, size - 1 - df, dt, size - 1 - dt)).flatten(1)  # `[C, patch]`
            here = (signal * at.switches[:, None, :, dt::size, df::size]).flatten(0, 1)
            reach = places.T @ here.flatten(2)
            patches = reach if patches is None else patches + reach
    assert patches is not None
    tall, wide = tall + size - 1, wide + size - 1
    one_each = torch.eye(tall * wide, device=signal.device, dtype=signal.dtype).unflatten(1, (1, tall, wide))
    return F.conv_transpose2d(
        patches.unflatten(2, tuple(signal.shape[3:])),
        one_each,
        stride=size,
        padding=_padding(level),
        output_padding=tuple(whole % size for whole in at.pooled_from),
    )


def _padding(level: Level) -> tuple[int, int]:
    """Of the convolution, in positions: what its transposed one leaves out again."""
    padding = level.convolution.padding
    assert isinstance(padding, tuple)
    tall, wide = padding
    return tall, wide
