"""Operators that networks are made of, as version 20 of ONNX has them: convolutions, pools, norms, products."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from phonoscope_trainer.graphs.translation.values import Operator, UntranslatableError, Value, tensor

CONVOLUTIONS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
Padded = tuple[Tensor, list[int], list[int]]  # a picture with its margins, strides, dilations


def convolution(node: Operator, inputs: Sequence[Value]) -> Tensor:
    """Over one, two or three axes."""
    weight = tensor(inputs[1])
    x, strides, dilations = _padded(node, tensor(inputs[0]), list(weight.shape[2:]), 0.0)
    convolve: Callable[..., Tensor] = CONVOLUTIONS[x.ndim - 2]
    return convolve(x, weight, _given(inputs, 2), strides, 0, dilations, node.whole("group", 1))


def transposed_convolution(node: Operator, inputs: Sequence[Value]) -> Tensor:
    """Over two axes, with margins that are the same on either side."""
    x, weight = tensor(inputs[0]), tensor(inputs[1])
    axes = x.ndim - 2
    pads = node.several("pads", [0] * 2 * axes)
    if node.word("auto_pad", "NOTSET") != "NOTSET" or pads[:axes] != pads[axes:] or axes > 2 or not axes:
        raise UntranslatableError("ConvTranspose with margins of its own kind")
    convolve: Callable[..., Tensor] = (F.conv_transpose1d, F.conv_transpose2d)[axes - 1]
    ones, more = [1] * axes, node.several("output_padding", [0] * axes)
    strides, dilations = node.several("strides", ones), node.several("dilations", ones)
    return convolve(x, weight, _given(inputs, 2), strides, pads[:axes], more, node.whole("group", 1), dilations)


def max_pool(node: Operator, inputs: Sequence[Value]) -> Tensor:
    """The largest of each pool."""
    x = tensor(inputs[0])
    kernel = _kernel(node, x)
    padded, strides, dilations = _padded(node, x, kernel, float("-inf"))
    return _in_two_axes(lambda y, k, s, d: F.max_pool2d(y, k, s, 0, d), padded, kernel, strides, dilations)


def average_pool(node: Operator, inputs: Sequence[Value]) -> Tensor:
    """The mean of each pool; of one that reaches over the edge, of what is inside, unless the margin counts."""
    x = tensor(inputs[0])
    kernel = _kernel(node, x)
    padded, strides, dilations = _padded(node, x, kernel, 0.0)
    if any(each != 1 for each in dilations):
        raise UntranslatableError("AveragePool with dilations")

    def mean(y: Tensor, k: list[int], s: list[int], _d: list[int]) -> Tensor:
        return F.avg_pool2d(y, k, s)

    found = _in_two_axes(mean, padded, kernel, strides, dilations)
    if padded.shape == x.shape or node.whole("count_include_pad", 0):
        return found
    inside, _, _ = _padded(node, torch.ones_like(x[:1, :1]), kernel, 0.0)
    return found / _in_two_axes(mean, inside, kernel, strides, dilations)


def batch_normalisation(node: Operator, inputs: Sequence[Value]) -> Tensor:
    """By statistics of training."""
    x = tensor(inputs[0])
    wide = (1, -1) + (1,) * (x.ndim - 2)
    scale, bias, mean, variance = (tensor(each).reshape(wide) for each in inputs[1:5])
    return (x - mean) * (scale / torch.sqrt(variance + node.number("epsilon", 1e-5))) + bias


def instance_normalisation(node: Operator, inputs: Sequence[Value]) -> Tensor:
    """By statistics of each picture and channel."""
    x = tensor(inputs[0])
    wide = (1, -1) + (1,) * (x.ndim - 2)
    scale, bias = (tensor(each).reshape(wide) for each in inputs[1:3])
    return _normalised(x, list(range(2, x.ndim)), node) * scale + bias


def layer_normalisation(node: Operator, inputs: Sequence[Value]) -> Tensor:
    """By statistics over the last axes."""
    x = tensor(inputs[0])
    axis = node.whole("axis", -1) % x.ndim
    found = _normalised(x, list(range(axis, x.ndim)), node) * tensor(inputs[1])
    bias = _given(inputs, 2)
    return found if bias is None else found + bias


def gemm(node: Operator, inputs: Sequence[Value]) -> Tensor:
    """A product of matrices, and something added."""
    a, b = tensor(inputs[0]), tensor(inputs[1])
    product = (a.mT if node.whole("transA", 0) else a) @ (b.mT if node.whole("transB", 0) else b)
    added, alpha = _given(inputs, 2), node.number("alpha", 1.0)
    scaled = product if alpha == 1 else alpha * product
    return scaled if added is None else scaled + node.number("beta", 1.0) * added


LAYERS: dict[str, Callable[[Operator, Sequence[Value]], Tensor]] = {
    "AveragePool": average_pool,
    "BatchNormalization": batch_normalisation,
    "Conv": convolution,
    "ConvTranspose": transposed_convolution,
    "Einsum": lambda node, inputs: torch.einsum(node.word("equation", ""), *(tensor(each) for each in inputs)),
    "Gemm": gemm,
    "GlobalAveragePool": lambda _node, inputs: _over_positions(torch.mean, tensor(inputs[0])),
    "GlobalMaxPool": lambda _node, inputs: _over_positions(torch.amax, tensor(inputs[0])),
    "InstanceNormalization": instance_normalisation,
    "LayerNormalization": layer_normalisation,
    "MatMul": lambda _node, inputs: tensor(inputs[0]) @ tensor(inputs[1]),
    "MaxPool": max_pool,
}


def _padded(node: Operator, x: Tensor, kernel: Sequence[int], value: float) -> Padded:
    """A picture with the margins that a node wants, and how the node moves over it.

    Raises:
        UntranslatableError: pools that are not whole are wanted.
    """
    axes = x.ndim - 2
    strides, dilations = (node.several(name, [1] * axes) for name in ("strides", "dilations"))
    reach = [(size - 1) * step + 1 for size, step in zip(kernel, dilations, strict=True)]
    mode = node.word("auto_pad", "NOTSET")
    if mode.startswith("SAME"):
        sizes = x.shape[2:]
        whole = [
            max(0, (-(-size // step) - 1) * step + wide - size)
            for size, step, wide in zip(sizes, strides, reach, strict=True)
        ]
        less = [each // 2 for each in whole]
        more = [each - half for each, half in zip(whole, less, strict=True)]
        pads = [*less, *more] if mode == "SAME_UPPER" else [*more, *less]
    else:
        pads = node.several("pads", [0] * 2 * axes)
    if node.whole("ceil_mode", 0):
        rest = [
            (x.shape[2 + axis] + pads[axis] + pads[axes + axis] - reach[axis]) % strides[axis] for axis in range(axes)
        ]
        if any(rest):
            raise UntranslatableError(f"{node.kind} with pools that are not whole")
    if any(pads):
        x = F.pad(
            x, [each for axis in range(axes - 1, -1, -1) for each in (pads[axis], pads[axes + axis])], value=value
        )
    return x, strides, dilations


def _in_two_axes(
    pool: Callable[[Tensor, list[int], list[int], list[int]], Tensor],
    x: Tensor,
    kernel: list[int],
    strides: list[int],
    dilations: list[int],
) -> Tensor:
    """Pools of one axis as pools of two: only those have a gradient that can be derived."""
    if x.ndim == 4:
        return pool(x, kernel, strides, dilations)
    if x.ndim != 3:
        raise UntranslatableError("pools over three axes")
    return pool(x.unsqueeze(2), [1, *kernel], [1, *strides], [1, *dilations]).squeeze(2)


def _kernel(node: Operator, x: Tensor) -> list[int]:
    return node.several("kernel_shape", [1] * (x.ndim - 2))


def _normalised(x: Tensor, axes: list[int], node: Operator) -> Tensor:
    mean = x.mean(axes, keepdim=True)
    variance = (x - mean).square().mean(axes, keepdim=True)
    return (x - mean) / torch.sqrt(variance + node.number("epsilon", 1e-5))


def _over_positions(function: Callable[..., Tensor], x: Tensor) -> Tensor:
    return function(x, dim=list(range(2, x.ndim)), keepdim=True)


def _given(inputs: Sequence[Value], place: int) -> Tensor | None:
    return tensor(inputs[place]) if len(inputs) > place and inputs[place] is not None else None
