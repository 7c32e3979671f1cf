"""Layers that know their adjoint, and chains of them: gradients inside ONNX graphs, which have no differentiation.

Each kind of layer says once how a gradient passes it, so a network that is a chain of them has its gradient without a
line written for it. All is written for speed in ONNX Runtime, whose fast convolutions keep activations in blocks of
channels and leave them for any operation but convolution, pooling, nearest-neighbour enlargement, sum and product:
slopes and switches are therefore convolutions of each channel by itself with a number so large that clamping the
result compares with zero; transposed convolutions are convolutions that compute a tile of output for each input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SHARP = 1e30  # a number above 0 times this exceeds 1, whatever a network computes
TILE = 4  # bins and frames of a single-channel gradient computed together: sixteen make a block of channels


class Layer(Protocol):
    """A differentiable function of one tensor."""

    def __call__(self, x: Tensor, /) -> Tensor:
        """The layer's output for `x` `[B, …]`."""
        ...

    def adjoint(self, g: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """The gradient with respect to `x` where that with respect to the output `y` is `g`."""
        ...


class Dense(nn.Module):
    """A fully connected layer on all of `x`, with a leaky rectifier where `slope` is not 1."""

    def __init__(self, layer: nn.Linear, slope: float = 1.0) -> None:
        super().__init__()
        self.layer, self.slope = layer, slope

    def forward(self, x: Tensor) -> Tensor:
        """`[B, outputs]`."""
        return leaky(self.layer(x.flatten(1)), self.slope)

    def adjoint(self, g: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """See `Layer`."""
        if self.slope != 1:
            g = torch.where(y > 0, g, self.slope * g)
        back: Tensor = (g @ self.layer.weight).unflatten(1, x.shape[1:])
        return back


class Convolution(nn.Module):
    """A convolution of stride 1, with a leaky rectifier where `slope` is not 1.

    Args:
        weight: `[O, I, height, width]`.
        bias: `[O]`.
        slope: of the rectifier's negative side, above 0.
        padding: zeros on either side, along height and width.
    """

    weight: Tensor
    bias: Tensor
    turned: Tensor
    sharp: Tensor

    def __init__(self, weight: Tensor, bias: Tensor, slope: float = 1.0, padding: tuple[int, int] = (0, 0)) -> None:
        super().__init__()
        self.slope, self.padding = slope, padding
        self.margin = (weight.shape[2] - 1 - padding[0], weight.shape[3] - 1 - padding[1])
        self.register_buffer("weight", weight.detach().clone(), persistent=False)
        self.register_buffer("bias", bias.detach().clone(), persistent=False)
        turned = self.weight.transpose(0, 1).flip(2, 3).contiguous()
        self.tiled = weight.shape[1] == 1
        self.register_buffer("turned", _tiles(turned) if self.tiled else turned, persistent=False)
        if slope != 1:
            self.register_buffer("sharp", weight.new_full((len(weight), 1, 1, 1), SHARP), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """`[B, O, T', M']`."""
        return leaky(F.conv2d(x, self.weight, self.bias, padding=self.padding), self.slope)

    def adjoint(self, g: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """See `Layer`."""
        if self.slope != 1:
            g = g * torch.clamp(F.conv2d(y, self.sharp, groups=len(self.sharp)), self.slope, 1.0)
        if not self.tiled:
            return F.conv2d(g, self.turned, padding=self.margin)
        tiles = [-(-size // TILE) for size in x.shape[2:]]
        after = [
            count * TILE + size - 1 - margin - part
            for count, size, margin, part in zip(tiles, self.weight.shape[2:], self.margin, g.shape[2:], strict=True)
        ]
        around = F.pad(g, (self.margin[1], after[1], self.margin[0], after[0]))
        picture = F.pixel_shuffle(F.conv2d(around, self.turned, stride=TILE), TILE)
        return picture[:, :, : x.shape[2], : x.shape[3]]


class Pool(nn.Module):
    """Max-pooling without overlap; bins beyond the last whole pool are left out."""

    one: Tensor

    def __init__(self, channels: int, size: int) -> None:
        super().__init__()
        self.channels, self.size = channels, size
        self.register_buffer("one", torch.ones(channels, 1, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """`[B, C, T // size, M // size]`."""
        return F.max_pool2d(x, self.size)

    def adjoint(self, g: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """See `Layer`; where several bins are the largest each gets the gradient.

        The comparison is of two convolutions, because an accelerator may round what it convolves.
        """
        rest = [whole - self.size * part for whole, part in zip(x.shape[2:], y.shape[2:], strict=True)]
        pooled = self._spread(F.conv2d(y, -self.one, groups=self.channels))
        covered = F.pad(self.one, (0, rest[1], 0, rest[0]))  # a kernel that leaves out what no pool covers
        below = F.conv2d(x, covered, groups=self.channels) + pooled
        largest = torch.clamp(F.conv2d(below, SHARP * self.one, self.one.flatten(), groups=self.channels), 0.0, 1.0)
        around = F.pad(largest * self._spread(g), (0, rest[1], 0, rest[0]))
        return F.conv2d(around, self.one, groups=self.channels)

    def _spread(self, pooled: Tensor) -> Tensor:
        return F.interpolate(pooled, scale_factor=float(self.size), mode="nearest")


class Shuffle(nn.Module):
    """Every `factor`² channels become one, of `factor` times the height and width."""

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        """`[B, C / factor², factor · T, factor · M]`."""
        return F.pixel_shuffle(x, self.factor)

    def adjoint(self, g: Tensor, x: Tensor, y: Tensor) -> Tensor:  # noqa: ARG002 - a permutation needs neither
        """See `Layer`."""
        return F.pixel_unshuffle(g, self.factor)


class Reshape(nn.Module):
    """All of `x` in another shape."""

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        self.shape = tuple(shape)

    def forward(self, x: Tensor) -> Tensor:
        """`[B, *shape]`."""
        return x.reshape(-1, *self.shape)

    def adjoint(self, g: Tensor, x: Tensor, y: Tensor) -> Tensor:  # noqa: ARG002 - nothing is computed
        """See `Layer`."""
        return g.reshape(-1, *x.shape[1:])


class Chain(nn.Module):
    """Named layers in a row."""

    def __init__(self, layers: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleDict(dict(layers))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """What goes in, as `input`, and every layer's output by name, in order."""
        found = {"input": x}
        for name, layer in self.layers.items():
            found[name] = x = layer(x)
        return found

    def gradient(self, found: Mapping[str, Tensor], seeds: Mapping[str, Tensor]) -> Tensor:
        """The gradient with respect to `input`.

        Args:
            found: what `forward` found.
            seeds: the gradient with respect to some layers' outputs by themselves, among them the last's.
        """
        names = list(found)
        g = seeds[names[-1]]
        for before, name in reversed(list(pairwise(names))):
            if name != names[-1] and name in seeds:
                g = g + seeds[name]
            g = cast(Layer, self.layers[name]).adjoint(g, found[before], found[name])
        return g


def leaky(x: Tensor, slope: float) -> Tensor:
    """The leaky rectifier; a slope of 1 is none."""
    return x if slope == 1 else F.leaky_relu(x, slope)


def _tiles(turned: Tensor) -> Tensor:
    """A kernel `[1, C, height, width]` as that of all of a tile's bins, `[TILE², C, height + TILE - 1, …]`."""
    return torch.cat(
        [
            F.pad(turned, (right, TILE - 1 - right, down, TILE - 1 - down))
            for down in range(TILE)
            for right in range(TILE)
        ]
    )
