"""Matrices that one graph holds as another holds them turned: made the same, so that they can be shared.

A gradient goes through a dense layer the other way, and an export writes the weights down as they are met. Runtimes
turn them while they load the graph, to the same bits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import onnx
from onnx import helper, numpy_helper

LEAST_BYTES = 1_000_000  # of a matrix: what is smaller is not worth a node


def turn_alike(models: Mapping[str, onnx.ModelProto]) -> None:
    """Changes graphs: a matrix that another graph holds turned is held as that does, and turned by a node.

    Args:
        models: name → a whole graph.
    """
    held = Counter(content for name in models for content in {*_matrices(models[name]).values()})
    for name in sorted(models):
        for weight, content in _matrices(models[name]).items():
            tensor = next(each for each in models[name].graph.initializer if each.name == weight)
            turned = np.ascontiguousarray(numpy_helper.to_array(tensor).T)
            if held[content] == 1 and turned.tobytes() != content and held[turned.tobytes()]:
                tensor.CopyFrom(numpy_helper.from_array(turned, f"{weight}_turned"))
                node = helper.make_node("Transpose", [tensor.name], [weight], perm=[1, 0])
                models[name].graph.node.insert(0, node)
                held[content] -= 1
                held[turned.tobytes()] += 1


def _matrices(model: onnx.ModelProto) -> dict[str, bytes]:
    """The content of each large matrix, by its name."""
    arrays = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer if len(each.dims) == 2}
    return {name: array.tobytes() for name, array in arrays.items() if array.nbytes >= LEAST_BYTES}
