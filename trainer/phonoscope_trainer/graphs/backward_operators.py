"""How gradients pass convolutions and pools, in operators that ONNX has and CUDA has kernels for.

PyTorch differentiates both with operators of their own, which no ONNX operator stands for. The decompositions here are
those `derived_gradient` traces with. Only the gradient with respect to what goes in is computed: weights are constants.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

aten = torch.ops.aten


def convolution_backward(
    grad: Tensor,
    x: Tensor,
    weight: Tensor,
    bias_sizes: Sequence[int] | None,  # noqa: ARG001 - the operator's own arguments
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],  # noqa: ARG001 - likewise
    groups: int,
    output_mask: Sequence[bool],
) -> tuple[Tensor | None, None, None]:
    """The gradient with respect to `x` of `aten.convolution`.

    That of a transposed convolution is a convolution. That of a plain one is a transposed convolution; where its stride
    is 1 it is a convolution with the kernel turned round, too, which ONNX Runtime computes several times as fast unless
    the kernel is larger than what it is moved over.

    Raises:
        NotImplementedError: the gradient of the weights is asked for.
    """
    if any(output_mask[1:]):
        raise NotImplementedError("the weights of a network whose gradient is derived must be constants")
    if not output_mask[0]:
        return None, None, None
    axes = len(x.shape) - 2
    given, asked, kernel = grad.shape[2:], x.shape[2:], weight.shape[2:]
    nothing = [0] * axes
    if transposed:
        return aten.convolution(grad, weight, None, stride, padding, dilation, False, nothing, groups), None, None
    margin = [dilation[i] * (kernel[i] - 1) - padding[i] for i in range(axes)]
    slides = all(asked[i] >= 2 * dilation[i] * (kernel[i] - 1) for i in range(axes))
    if groups == 1 and slides and min(margin) >= 0 and all(step == 1 for step in stride):
        turned = weight.transpose(0, 1).flip(*range(2, 2 + axes))
        return aten.convolution(grad, turned, None, stride, margin, dilation, False, nothing, 1), None, None
    rest = [
        asked[i] - ((given[i] - 1) * stride[i] - 2 * padding[i] + dilation[i] * (kernel[i] - 1) + 1)
        for i in range(axes)
    ]
    return aten.convolution(grad, weight, None, stride, padding, dilation, True, rest, groups), None, None


def max_pool2d_backward(
    grad: Tensor,
    x: Tensor,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil_mode: bool,  # noqa: ARG001 - the operator's own argument: the gradient's shape says it
    indices: Tensor,  # noqa: ARG001 - likewise: TensorRT's pools give none
) -> Tensor:
    """The gradient with respect to `x` of `aten.max_pool2d_with_indices`; pools may overlap.

    Each bin of the gradient goes to the first largest bin of its pool. All bins that lie at one offset in their pools
    are as far apart as pools are, so each offset is a picture of the gradient's size; `_laid` puts them side by side.
    """
    kernel, step = _pair(kernel_size), _pair(stride or kernel_size)
    margin, spread = _pair(padding), _pair(dilation)
    counts = grad.shape[-2:]
    offsets = [(i * spread[0], j * spread[1]) for i, j in itertools.product(*(range(size) for size in kernel))]
    whole = [max(each[axis] for each in offsets) + (counts[axis] - 1) * step[axis] + 1 for axis in (0, 1)]
    after = [max(0, whole[axis] - margin[axis] - x.shape[2 + axis]) for axis in (0, 1)]
    around = x
    if any(margin) or any(after):
        around = F.pad(x, (margin[1], after[1], margin[0], after[0]), value=float("-inf"))
    last = [(counts[axis] - 1) * step[axis] + 1 for axis in (0, 1)]
    windows = torch.stack(
        [around[:, :, i : i + last[0] : step[0], j : j + last[1] : step[1]] for i, j in offsets], dim=-1
    )
    largest = windows.argmax(dim=-1)
    parts = {each: torch.where(largest == number, grad, 0.0) for number, each in enumerate(offsets)}
    laid = _laid(parts, step)
    top, left = margin
    missing = [top + x.shape[2] - laid.shape[2], left + x.shape[3] - laid.shape[3]]
    if max(missing) > 0:
        laid = F.pad(laid, (0, max(0, missing[1]), 0, max(0, missing[0])))
    return laid[:, :, top : top + x.shape[2], left : left + x.shape[3]]


def avg_pool2d_backward(
    grad: Tensor,
    x: Tensor,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Tensor:
    """The gradient with respect to `x` of `aten.avg_pool2d`, whose pools may overlap.

    Raises:
        NotImplementedError: pools reach over the edge and count only what is inside.
    """
    kernel, step, margin = _pair(kernel_size), _pair(stride or kernel_size), _pair(padding)
    if ceil_mode or (any(margin) and not count_include_pad):
        raise NotImplementedError("the gradient of average pools that count only what is inside a picture")
    share = grad / (divisor_override or kernel[0] * kernel[1])
    laid = _laid(dict.fromkeys(itertools.product(*(range(size) for size in kernel)), share), step)
    missing = [margin[axis] + x.shape[2 + axis] - laid.shape[2 + axis] for axis in (0, 1)]
    if max(missing) > 0:
        laid = F.pad(laid, (0, max(0, missing[1]), 0, max(0, missing[0])))
    return laid[:, :, margin[0] : margin[0] + x.shape[2], margin[1] : margin[1] + x.shape[3]]


def adaptive_avg_pool2d_backward(grad: Tensor, x: Tensor) -> Tensor:
    """The gradient with respect to `x` of `aten._adaptive_avg_pool2d`: means are products with a matrix either side."""
    rows, columns = (_means(int(x.shape[axis]), int(grad.shape[axis]), grad) for axis in (2, 3))
    return rows.mT @ grad @ columns


def _means(size: int, means: int, like: Tensor) -> Tensor:
    """`[means, size]` the matrix that takes as many means of neighbours."""
    numbers = range(means)
    ends = [(number * size // means, -(-(number + 1) * size // means)) for number in numbers]
    rows = [[1 / (end - start) if start <= at < end else 0.0 for at in range(size)] for start, end in ends]
    return torch.tensor(rows, dtype=like.dtype, device=like.device)


# What `derived_gradient` traces with, beside PyTorch's own decompositions.
BACKWARD: Mapping[Any, Callable[..., Any]] = {
    aten.convolution_backward.default: convolution_backward,
    aten.max_pool2d_with_indices_backward.default: max_pool2d_backward,
    aten.avg_pool2d_backward.default: avg_pool2d_backward,
    aten._adaptive_avg_pool2d_backward.default: adaptive_avg_pool2d_backward,
}


def _laid(parts: Mapping[tuple[int, int], Tensor], step: tuple[int, int]) -> Tensor:
    """The sum of pictures whose bins lie `step` apart, each from its own offset on.

    Offsets inside one step are bins of one tile and need no sum; where pools do not overlap there is but one tile.

    Args:
        parts: offset → `[B, C, H, W]`.
        step: rows and columns.
    """
    rows, columns = (max(each[axis] for each in parts) // step[axis] for axis in (0, 1))
    like = next(iter(parts.values()))
    total = None
    for down, right in itertools.product(range(rows + 1), range(columns + 1)):
        tile = [[parts.get((down * step[0] + i, right * step[1] + j)) for j in range(step[1])] for i in range(step[0])]
        if all(each is None for row in tile for each in row):
            continue
        nothing = torch.zeros_like(like)
        bins = torch.stack(
            [torch.stack([nothing if each is None else each for each in row], dim=-1) for row in tile], dim=3
        )  # [B, C, H, step, W, step]
        picture = bins.flatten(4, 5).flatten(2, 3)
        above, before = down * step[0], right * step[1]
        placed = F.pad(picture, (before, columns * step[1] - before, above, rows * step[0] - above))
        total = placed if total is None else total + placed
    assert total is not None
    return total


def _pair(sizes: Sequence[int]) -> tuple[int, int]:
    """Rows and columns; one number is both."""
    return (sizes[0], sizes[0]) if len(sizes) == 1 else (sizes[0], sizes[1])
