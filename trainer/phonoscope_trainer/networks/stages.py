"""What a convolutional network does before its fully connected layers, as a list that anything can walk.

A walk forwards gives the activations; a walk backwards, with the transposed kernels and the positions that each maximum
came from, is the deconvnet of Zeiler & Fergus (ECCV 2014).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True, slots=True, eq=False)
class Convolution:
    """A convolution and its rectifier: x above 0, `slope`·x below; 0 is a ReLU."""

    name: str
    layer: nn.Conv2d
    slope: float = 0.0


@dataclass(frozen=True, slots=True)
class Pooling:
    """Maxima of squares of `size` × `size` positions that do not overlap; what is left over at the end is dropped."""

    name: str
    size: int


Stage = Convolution | Pooling


def walk(stages: Sequence[Stage], picture: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Each stage's name and activation `[B, C, T', F']` for `picture` `[B, C, T, F]`, in order."""
    for stage in stages:
        if isinstance(stage, Pooling):
            picture = F.max_pool2d(picture, stage.size)
        else:
            picture = F.leaky_relu(stage.layer(picture), stage.slope) if stage.slope else F.relu(stage.layer(picture))
        yield stage.name, picture


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of the input a layer's kernel and one of its positions depend on, in input positions along one axis."""

    kernel: int  # first to last position under the kernel, the layers below taken as points
    field: int  # every position that can change one output: the receptive field


def extents(stages: Sequence[Stage]) -> dict[str, Extent]:
    """The extents of each convolution, by name; kernels are square, so both axes have the same."""
    found: dict[str, Extent] = {}
    field, step = 1, 1
    for stage in stages:
        if isinstance(stage, Pooling):
            field += (stage.size - 1) * step
            step *= stage.size
        else:
            kernel = stage.layer.kernel_size[0]
            field += (kernel - 1) * step
            found[stage.name] = Extent(kernel * step, field)
    return found
