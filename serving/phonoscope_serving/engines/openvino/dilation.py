"""Dilated convolutions and pools put as OpenVINO has fast programs for; its reference loops take thirty times as long.

Both give the same sums and maxima as before.
"""

from __future__ import annotations

import numpy as np
import openvino as ov
from openvino import opset13 as ops

FAST_REACH = 32  # (kernel - 1) * dilation, up to which dilated convolutions are fast (2026.4, tried: 6 is, 90 is not)
IMAGE_AXES = (2, 3)


def undilate_convolution(node: ov.Node) -> None:
    """Convolves each of the phases of one axis by itself, undilated, where the dilation reaches far.

    A kernel dilated by d meets only every d-th value: those that are together in one phase.
    """
    if not _is_plain(node):
        return
    attributes, kernel = node.get_attributes(), node.input(1).get_partial_shape()
    reach = [(kernel[axis].get_length() - 1) * d for axis, d in zip(IMAGE_AXES, attributes["dilations"], strict=True)]
    far = [axis for axis, each in zip(IMAGE_AXES, reach, strict=True) if each > FAST_REACH]
    if (
        len(far) != 1
        or min(attributes["dilations"]) > 1
        or not _is_plain(node)
        or node.input(0).get_partial_shape()[0] != 1
    ):
        return
    (axis,) = far
    phases, x = max(attributes["dilations"]), node.input_value(0)
    length = ops.gather(ops.shape_of(x), ops.constant(np.array([axis])), ops.constant(0))
    short = ops.floor_mod(ops.multiply(length, ops.constant(np.array([-1]))), ops.constant(np.array([phases])))
    none = ops.constant(np.zeros(4, np.int64))
    ends = ops.scatter_elements_update(none, ops.constant(np.array([axis])), short, ops.constant(0))
    even = ops.pad(x, none, ends, "constant")  # a multiple of the phases; what it adds is cut off again
    split = [0, 0, 0, 0]
    split[axis] = -1
    apart = ops.reshape(even, ops.constant(np.array([*split[: axis + 1], phases, *split[axis + 1 :]])), True)
    turned = [*range(1, axis + 1), *range(axis + 2, 5)]  # channels and image, the phases' own axis left out
    rows = ops.squeeze(
        ops.transpose(apart, ops.constant(np.array([axis + 1, *turned, 0]))), ops.constant(np.array([4]))
    )
    made = ops.convolution(rows, node.input_value(1), [1, 1], [0, 0], [0, 0], [1, 1])
    back = [4, *range(1, axis + 1), 0, *range(axis + 1, 4)]
    whole = ops.transpose(ops.unsqueeze(made, ops.constant(np.array([4]))), ops.constant(np.array(back)))
    joined = ops.reshape(whole, _joined(whole, axis), False)
    stop = ops.subtract(length, ops.constant(np.array([max(reach)])))
    cut = ops.slice(joined, *(ops.constant(np.array([0])), stop), ops.constant(np.array([1])), ops.constant([axis]))
    cut.set_friendly_name(node.get_friendly_name())
    node.output(0).replace(cut.output(0))


def undilate_pool(node: ov.Node) -> None:
    """Pools along the other axis first, and then takes the largest of what is a dilation apart, slice by slice."""
    attributes = node.get_attributes()
    dilations, kernel, strides = (list(attributes[name]) for name in ("dilations", "kernel", "strides"))
    dilated = [at for at, d in enumerate(dilations) if d > 1]
    if len(dilated) != 1 or not _is_plain(node) or strides[dilated[0]] != 1 or node.output(1).get_target_inputs():
        return
    (at,) = dilated
    taps, dilation, axis = kernel[at], dilations[at], IMAGE_AXES[at]
    kernel[at], dilations[at] = 1, 1
    pooled = ops.max_pool(node.input_value(0), strides, dilations, [0, 0], [0, 0], kernel)
    largest = None
    for tap in range(taps):
        first, last = tap * dilation, (taps - 1 - tap) * dilation
        bounds = (np.array([first]), np.array([-last if last else np.iinfo(np.int64).max]), np.array([1]))
        part = ops.slice(pooled.output(0), *map(ops.constant, bounds), ops.constant(np.array([axis])))
        largest = part if largest is None else ops.maximum(largest, part)
    assert largest is not None
    largest.set_friendly_name(node.get_friendly_name())
    node.output(0).replace(largest.output(0))


def _is_plain(node: ov.Node) -> bool:
    """Whether nothing is padded, over an image of two axes, and a convolution goes bin by bin."""
    attributes = node.get_attributes()
    pads = [*attributes["pads_begin"], *attributes["pads_end"]]
    is_stepping = node.get_type_name() == "Convolution" and max(attributes["strides"]) > 1
    return len(attributes["dilations"]) == 2 and not any(pads) and not is_stepping


def _joined(whole: ov.Node, axis: int) -> ov.Node:
    """The shape in which an axis and the phases behind it are one again."""
    shape = ops.shape_of(whole)

    def part(first: int, last: int) -> ov.Node:
        bounds = (np.array([first]), np.array([last]), np.array([1]))
        return ops.slice(shape, *map(ops.constant, bounds), ops.constant(np.array([0])))

    pieces = [part(0, axis), ops.constant(np.array([-1])), part(axis + 2, 5)]
    return ops.concat(pieces if axis < IMAGE_AXES[-1] else pieces[:2], 0)
