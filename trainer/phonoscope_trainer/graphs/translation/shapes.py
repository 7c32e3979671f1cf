"""Operators that move numbers about without computing any, as version 20 of ONNX has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from phonoscope_trainer.graphs.translation.values import (
    Operator,
    Size,
    UntranslatableError,
    Value,
    is_size,
    optional_sizes,
    size,
    sizes,
    tensor,
)


def reshape(node: Operator, inputs: Sequence[Value]) -> Tensor:
    """To other axes; 0 is the size that was there."""
    x, wanted = tensor(inputs[0]), sizes(inputs[1])
    if not node.whole("allowzero", 0):
        wanted = [x.shape[axis] if each == 0 else each for axis, each in enumerate(wanted)]
    return x.reshape(wanted)


def flatten(node: Operator, inputs: Sequence[Value]) -> Tensor:
    """To two axes."""
    x, axis = tensor(inputs[0]), node.whole("axis", 1)
    return x.flatten(1) if axis == 1 else x.reshape(-1, *([1] if axis == x.ndim else [x.shape[axis:].numel()]))


def squeeze(_node: Operator, inputs: Sequence[Value]) -> Tensor:
    """Without axes of one place."""
    x, axes = tensor(inputs[0]), optional_sizes(inputs, 1)
    return x.squeeze() if axes is None else x.squeeze(tuple(axes))


def unsqueeze(_node: Operator, inputs: Sequence[Value]) -> Tensor:
    """With further axes of one place."""
    x, axes = tensor(inputs[0]), sizes(inputs[1])
    for axis in sorted(axis % (x.ndim + len(axes)) for axis in axes):
        x = x.unsqueeze(axis)
    return x


def transpose(node: Operator, inputs: Sequence[Value]) -> Tensor:
    """With axes in another order."""
    x = tensor(inputs[0])
    return x.permute(node.several("perm", range(x.ndim - 1, -1, -1)))


def concat(node: Operator, inputs: Sequence[Value]) -> Tensor:
    """One after the other."""
    return torch.cat([tensor(each) for each in inputs], dim=node.whole("axis", 0))


def split(node: Operator, inputs: Sequence[Value]) -> tuple[Tensor, ...]:
    """Parts of an axis."""
    x, axis, parts = tensor(inputs[0]), node.whole("axis", 0), optional_sizes(inputs, 1)
    if parts is None:
        count = node.whole("num_outputs", node.outputs)
        return tuple(x.split(-(-x.shape[axis] // count), dim=axis))
    return tuple(x.split(parts, dim=axis))


def sliced(_node: Operator, inputs: Sequence[Value]) -> Tensor:
    """Some places of some axes."""
    x, starts, ends = tensor(inputs[0]), sizes(inputs[1]), sizes(inputs[2])
    axes = optional_sizes(inputs, 3) or list(range(len(starts)))
    steps = optional_sizes(inputs, 4) or [1] * len(starts)
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        first, last, stride = start, end, step
        if step < 0:  # PyTorch goes forwards alone: the same places of the axis turned round
            first, last, _ = slice(start, end, step).indices(x.shape[axis])
            x = x.flip(axis)
            first, last, stride = x.shape[axis] - 1 - first, x.shape[axis] - 1 - last, -step
        x = x[(slice(None),) * (axis % x.ndim) + (slice(first, last, stride),)]
    return x


def gather(node: Operator, inputs: Sequence[Value]) -> Tensor:
    """Places of an axis by number; neighbours as a slice, which goes back as one."""
    x, axis, places = tensor(inputs[0]), node.whole("axis", 0), inputs[1]
    if is_size(places) and not isinstance(places, list):
        return x.select(axis, size(places))
    if isinstance(places, list):
        return x.index_select(axis, torch.tensor([each % x.shape[axis] for each in places], device=x.device))
    chosen = tensor(places)
    found: Tensor = x.index_select(axis, chosen.reshape(-1)).unflatten(axis, chosen.shape)
    return found


def gather_positions(node: Operator, inputs: Sequence[Value]) -> Tensor:
    """Places of several axes by numbers."""
    if node.whole("batch_dims", 0):
        raise UntranslatableError("GatherND row by row")
    found: Tensor = tensor(inputs[0])[tensor(inputs[1]).unbind(-1)]
    return found


def expand(_node: Operator, inputs: Sequence[Value]) -> Tensor:
    """As often as a shape says."""
    x, wanted = tensor(inputs[0]), sizes(inputs[1])
    wanted = [1] * (x.ndim - len(wanted)) + wanted
    own = [1] * (len(wanted) - x.ndim) + list(x.shape)
    return x.expand([had if each == 1 else each for had, each in zip(own, wanted, strict=True)])


def tile(_node: Operator, inputs: Sequence[Value]) -> Tensor:
    """Over and over."""
    return tensor(inputs[0]).repeat(sizes(inputs[1]))


def pad(node: Operator, inputs: Sequence[Value]) -> Tensor:
    """With something around it."""
    x, around = tensor(inputs[0]), sizes(inputs[1])
    axes = optional_sizes(inputs, 3) or list(range(x.ndim))
    half, mode = len(around) // 2, node.word("mode", "constant")
    margins = {axis % x.ndim: (around[place], around[half + place]) for place, axis in enumerate(axes)}
    if mode == "constant":
        value = tensor(inputs[2]).item() if len(inputs) > 2 and inputs[2] is not None else 0.0
        flat = [each for axis in range(x.ndim - 1, -1, -1) for each in margins.get(axis, (0, 0))]
        return F.pad(x, flat, value=value)
    if mode not in ("reflect", "edge"):
        raise UntranslatableError(f"Pad of mode {mode}")
    for axis, (before, after) in margins.items():
        x = _continued(x, axis, before, after, mirrored=mode == "reflect")
    return x


def _continued(x: Tensor, axis: int, before: Size, after: Size, *, mirrored: bool) -> Tensor:
    """By its mirror image, or its last place; put together of slices, which go back as slices."""
    last, parts = x.shape[axis] - 1, [x]
    if before:
        left = (
            x.narrow(axis, 1, before).flip(axis) if mirrored else x.narrow(axis, 0, 1).repeat_interleave(before, axis)
        )
        parts.insert(0, left)
    if after:
        right = x.narrow(axis, last - after, after).flip(axis) if mirrored else x.narrow(axis, last, 1)
        parts.append(right if mirrored else right.repeat_interleave(after, axis))
    return torch.cat(parts, dim=axis) if len(parts) > 1 else x


def shape(node: Operator, inputs: Sequence[Value]) -> list[Size]:
    """The sizes of its axes."""
    end = node.attributes.get("end")
    return list(tensor(inputs[0]).shape)[node.whole("start", 0) : None if end is None else int(end)]


def filled(node: Operator, inputs: Sequence[Value]) -> Tensor | list[Size]:
    """Of one number throughout."""
    wanted, given = sizes(inputs[0]), node.attributes.get("value")
    value = 0.0 if given is None else given.reshape(-1)[0].item()
    if isinstance(value, int) and len(wanted) == 1 and isinstance(wanted[0], int):
        return [value] * wanted[0]
    return torch.full(tuple(wanted), value)


SHAPES: dict[str, Callable[[Operator, Sequence[Value]], Value | tuple[Tensor, ...]]] = {
    "Concat": concat,
    "ConstantOfShape": filled,
    "Expand": expand,
    "Flatten": flatten,
    "Gather": gather,
    "GatherND": gather_positions,
    "Pad": pad,
    "Reshape": reshape,
    "Shape": shape,
    "Slice": sliced,
    "Split": split,
    "Squeeze": squeeze,
    "Tile": tile,
    "Transpose": transpose,
    "Unsqueeze": unsqueeze,
}
