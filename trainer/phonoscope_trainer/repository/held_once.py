"""Makes a graph hold every number once: what it holds twice, turned round or by a rule is computed from what it holds.

Runtimes compute what hangs on constants alone while they load a graph, so nothing is slower for it, and nothing is
rounded: the same bits come out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from phonoscope_trainer.repository.regular import by_rule

Array = NDArray[np.generic]
LEAST_BYTES = 4096  # what is smaller is not worth a node
MOST_COUNTED = 2**24  # whole numbers to here are float32's, too
COUNTING = (np.dtype(np.float32), np.dtype(np.int32), np.dtype(np.int64))
LEAST_TABLE_BYTES = 500_000  # of what is looked up: numbers of 16 bits keep a graph off TensorRT
MOST_VALUES = 2**15  # of a table that int16 counts
BITS = {np.dtype(np.float32): np.int32, np.dtype(np.float64): np.int64}  # tells 0 from -0


@dataclass(frozen=True, slots=True)
class _Held:
    """An array that stays in the graph."""

    name: str
    array: Array


def hold_once(model: onnx.ModelProto) -> None:
    """Changes a model: arrays that others give, or a rule, are computed; tables of few values are looked up."""
    for graph in _graphs(model.graph):
        held: list[_Held] = []
        made: list[onnx.NodeProto] = []
        kept: list[onnx.TensorProto] = []
        for tensor in graph.initializer:
            nodes: list[onnx.NodeProto] = []
            array = numpy_helper.to_array(tensor)
            if array.nbytes >= LEAST_BYTES:
                nodes = _counted(tensor.name, array) or _from_others(tensor.name, array, held)
                if not nodes and (ruled := by_rule(tensor.name, array)):
                    nodes = list(ruled.nodes)
                    kept += ruled.of
                nodes = nodes or _looked_up(tensor.name, array, kept)
            made += nodes
            if not nodes:
                kept.append(tensor)
                held.append(_Held(tensor.name, array))
        if made:
            nodes = [*made, *graph.node]
            del graph.node[:], graph.initializer[:]
            graph.node.extend(nodes)
            graph.initializer.extend(kept)


def _counted(name: str, array: Array) -> list[onnx.NodeProto]:
    """Nodes that make an array which counts, in equal steps of whole numbers; none where it does not."""
    flat = array.ravel()
    if array.dtype not in COUNTING or not np.array_equal(flat, np.rint(flat)):
        return []
    start, step = int(flat[0]), int(flat[1]) - int(flat[0])
    stop = start + step * flat.size
    if not step or abs(stop) > MOST_COUNTED or not np.array_equal(flat, np.arange(start, stop, step)):
        return []
    bounds = {"start": start, "stop": stop, "step": step}
    constants = [_constant(f"{name}_{each}", np.array(value, array.dtype)) for each, value in bounds.items()]
    counting = helper.make_node("Range", [f"{name}_{each}" for each in bounds], [f"{name}_flat"])
    shape = _constant(f"{name}_shape", np.array(array.shape, np.int64))
    return [*constants, counting, shape, helper.make_node("Reshape", [f"{name}_flat", f"{name}_shape"], [name])]


def _constant(name: str, value: Array) -> onnx.NodeProto:
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(value))


def _from_others(name: str, array: Array, held: list[_Held]) -> list[onnx.NodeProto]:
    """Nodes that make an array of one that is held: itself, transposed, or a kernel turned round; none, else."""
    for other in held:
        if other.array.size != array.size or other.array.dtype != array.dtype:
            continue
        if _same(other.array, array):
            return [helper.make_node("Identity", [other.name], [name])]
        if array.ndim == 2 and _same(other.array.T, array):
            return [helper.make_node("Transpose", [other.name], [name], perm=[1, 0])]
        if array.ndim == 4 and other.array.ndim == 4 and _same(_turned(other.array), array):
            return _turning(other.name, name)
    return []


def _same(one: Array, other: Array) -> bool:
    return one.shape == other.shape and np.ascontiguousarray(one).tobytes() == other.tobytes()


def _turned(kernel: Array) -> Array:
    """The kernel of a convolution's adjoint: channels change places, both axes are turned round."""
    return kernel.transpose(1, 0, 2, 3)[:, :, ::-1, ::-1]


def _turning(kernel: str, name: str) -> list[onnx.NodeProto]:
    numbers = {"starts": [-1, -1], "ends": [-(2**31), -(2**31)], "axes": [2, 3], "steps": [-1, -1]}
    constants = [
        helper.make_node("Constant", [], [f"{name}_{each}"], value_ints=values) for each, values in numbers.items()
    ]
    return [
        *constants,
        helper.make_node("Slice", [kernel, *(f"{name}_{each}" for each in numbers)], [f"{name}_around"]),
        helper.make_node("Transpose", [f"{name}_around"], [name], perm=[1, 0, 2, 3]),
    ]


def _looked_up(name: str, array: Array, kept: list[onnx.TensorProto]) -> list[onnx.NodeProto]:
    """Nodes that look an array up in the few values that it has, which are kept; none where it has many."""
    if array.dtype not in BITS or array.nbytes < LEAST_TABLE_BYTES:
        return []
    bits, place = np.unique(np.ascontiguousarray(array).view(BITS[array.dtype]), return_inverse=True)
    if len(bits) > min(MOST_VALUES, array.size // 8):
        return []
    kept.append(numpy_helper.from_array(bits.view(array.dtype), f"{name}_values"))
    kept.append(numpy_helper.from_array(place.reshape(array.shape).astype(np.int16), f"{name}_places"))
    return [
        helper.make_node("Cast", [f"{name}_places"], [f"{name}_numbers"], to=onnx.TensorProto.INT32),
        helper.make_node("Gather", [f"{name}_values", f"{name}_numbers"], [name], axis=0),
    ]


def _graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """A graph and the bodies of its loops and branches."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _graphs(attribute.g)
