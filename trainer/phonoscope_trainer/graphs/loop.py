"""An exported module repeated inside its graph: ONNX's Loop around what it computes once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import onnx
from onnx import TensorProto, helper

NEXT = "next_"  # begins the name of an output that is the next iteration's input
GO_ON = "go_on"  # the module's last output: a bool, whether there is to be another iteration
MATRIX_AXES = 2
INSIDE = "_inside"  # a name may not stand for one value outside a loop and another inside


def repeated(model: onnx.ModelProto, iterations: int) -> onnx.ModelProto:
    """The same inputs, and the outputs but for `go_on`, after up to so many iterations.

    What the model calls `next_NAME` is the input NAME of the next iteration; other inputs are the same in each. Weights
    go inside with the nodes, because ONNX Runtime prepares only the weights of a convolution's own graph; matrices stay
    outside, because it keeps what is inside several times.

    Args:
        model: one iteration. Its last output is `go_on`.
        iterations: at most; there is always one.
    """
    once = model.graph
    carried = [value for value in once.input if any(out.name == NEXT + value.name for out in once.output)]
    inside = {name: name + INSIDE for value in carried for name in (value.name, NEXT + value.name)}
    kinds = {value.name: value for value in (*once.input, *once.output)}
    matrices, others = matrices_and_others(once.initializer)
    body = helper.make_graph(
        [_renamed(node, inside) for node in once.node],
        "iteration",
        [
            helper.make_tensor_value_info("iteration_number", TensorProto.INT64, []),
            helper.make_tensor_value_info("went_on", TensorProto.BOOL, []),
            *(_called(value, inside[value.name]) for value in carried),
        ],
        [kinds[GO_ON], *(_called(kinds[NEXT + value.name], inside[NEXT + value.name]) for value in carried)],
        others,
        value_info=[value for value in once.value_info if value.name not in inside],
    )
    outside = [
        helper.make_node("Constant", [], ["iterations"], value_int=iterations),
        helper.make_node("Constant", [], ["at_first"], value=helper.make_tensor("", TensorProto.BOOL, [], [True])),
        helper.make_node(
            "Loop",
            ["iterations", "at_first", *(value.name for value in carried)],
            [NEXT + value.name for value in carried],
            body=body,
        ),
    ]
    outputs = [value for value in once.output if value.name != GO_ON]
    graph = helper.make_graph(outside, once.name, once.input, outputs, matrices)
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)


def with_matrices_outside(model: onnx.ModelProto) -> bool:
    """Changes a model whose loop was made when all weights went inside; whether it was one."""
    bodies = [each.g for node in model.graph.node if node.op_type == "Loop" for each in node.attribute]
    for body in bodies:
        matrices, others = matrices_and_others(body.initializer)
        model.graph.initializer.extend(matrices)
        del body.initializer[:]
        body.initializer.extend(others)
        if matrices:
            return True
    return False


def matrices_and_others(weights: Iterable[onnx.TensorProto]) -> tuple[list[onnx.TensorProto], list[onnx.TensorProto]]:
    """Weights of dense layers, and all other ones; copies, which outlive the graph that held them."""
    copies = [onnx.TensorProto.FromString(weight.SerializeToString()) for weight in weights]
    sides: tuple[list[onnx.TensorProto], list[onnx.TensorProto]] = ([], [])
    for copy in copies:
        is_matrix = copy.data_type == TensorProto.FLOAT and len(copy.dims) == MATRIX_AXES
        sides[not is_matrix].append(copy)
    return sides


def _called(value: onnx.ValueInfoProto, name: str) -> onnx.ValueInfoProto:
    renamed = onnx.ValueInfoProto()
    renamed.CopyFrom(value)
    renamed.name = name
    return renamed


def _renamed(node: onnx.NodeProto, names: Mapping[str, str]) -> onnx.NodeProto:
    renamed = onnx.NodeProto()
    renamed.CopyFrom(node)
    for values in (renamed.input, renamed.output):
        values[:] = [names.get(value, value) for value in values]
    return renamed
