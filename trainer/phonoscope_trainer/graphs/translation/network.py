"""An ONNX graph as a torch network: the same operators, one after the other, in PyTorch.

Whoever wants the gradient of a graph that somebody exported needs it in PyTorch again. Packages that translate are
behind: they know the operators of versions that graphs of today no longer have, and most bring computer vision with
them. The operators of networks on pictures are few; what is not among them is named, and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.graphs.translation.layers import LAYERS
from phonoscope_trainer.graphs.translation.numbers import NUMBERS
from phonoscope_trainer.graphs.translation.shapes import SHAPES
from phonoscope_trainer.graphs.translation.sizes import computed
from phonoscope_trainer.graphs.translation.values import Operator, UntranslatableError, Value, held, is_size

OPERATORS = {**SHAPES, **NUMBERS, **LAYERS}
CONSTANT = "Constant"
ALWAYS_TENSORS = {"Shape", "ConstantOfShape", "Reshape", "Tile"}  # make sizes, or take some beside a tensor
Step = tuple[Operator, list[str], list[str]]  # what takes which values, and what these are called that it makes
OWN_DOMAIN = ("", "ai.onnx")


class Translated(nn.Module):
    """What a graph computes: its inputs in order to its outputs in order, one by itself.

    Its constants are buffers, so it can be moved, copied and run in double precision as any other network.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        """Of a model whose operators are of version 20.

        Raises:
            ExportError: it holds operators that are not translated; the message names them.
        """
        super().__init__()
        if unknown := sorted(set(_unknown(model.graph))):
            raise ExportError(f"operators that are not translated to torch: {', '.join(unknown)}")
        self.constants: dict[str, Value] = {
            each.name: held(numpy_helper.to_array(each)) for each in model.graph.initializer
        }
        self.given = [each.name for each in model.graph.input if each.name not in self.constants]
        self.answered = [each.name for each in model.graph.output]
        self.steps: list[Step] = []  # what constants alone say is computed once
        for node in model.graph.node:
            attributes = {each.name: _attribute(each) for each in node.attribute}
            if node.op_type == CONSTANT:
                self.constants[node.output[0]] = held(_constant(node))
                continue
            operator = Operator(node.op_type, attributes, len(node.output))
            step = operator, list(node.input), list(node.output)
            if all(name in self.constants for name in node.input if name):
                self.constants |= _taken(step, self.constants)
            else:
                self.steps.append(step)
        tensors = {name: value for name, value in self.constants.items() if isinstance(value, Tensor)}
        self.called: dict[str, str] = {}  # buffer → constant
        for number, (name, value) in enumerate(tensors.items()):
            self.called[f"constant_{number}"] = name
            self.register_buffer(f"constant_{number}", value, persistent=False)
            del self.constants[name]

    def forward(self, *inputs: Tensor) -> Tensor | tuple[Tensor, ...]:
        """The graph's outputs."""
        known: dict[str, Value] = dict(self.constants)
        known |= {name: self.get_buffer(buffer) for buffer, name in self.called.items()}
        known |= dict(zip(self.given, inputs, strict=True))
        is_double = any(each.dtype == torch.float64 for each in self.buffers())
        for step in self.steps:
            made = _taken(step, known)
            known |= {name: _widened(value) for name, value in made.items()} if is_double else made
        answers = tuple(known[name] for name in self.answered)
        return answers if len(answers) > 1 else answers[0]  # type: ignore[return-value]  # outputs are tensors


def _taken(step: Step, known: Mapping[str, Value]) -> dict[str, Value]:
    """What a step makes, by name."""
    operator, names, outputs = step
    try:
        found = _asked(operator, [known[name] if name else None for name in names])
    except UntranslatableError as reason:
        raise ExportError(f"the graph is not translated to torch: {reason}") from reason
    return dict(zip(outputs, found if isinstance(found, tuple) else (found,), strict=False))


def _widened(value: Value) -> Value:
    """In double precision: a graph that says float32, where it turns labels into weights, means its own precision."""
    return value.double() if isinstance(value, Tensor) and value.dtype == torch.float32 else value


def _asked(operator: Operator, inputs: list[Value]) -> Value | tuple[Tensor, ...]:
    given = [each for each in inputs if each is not None]
    if operator.kind not in ALWAYS_TENSORS and given and all(is_size(each) for each in given):
        return computed(operator, inputs)
    return OPERATORS[operator.kind](operator, inputs)


def _unknown(graph: onnx.GraphProto) -> Iterator[str]:
    for node in graph.node:
        if node.domain not in OWN_DOMAIN:
            yield f"{node.domain}.{node.op_type}"
        elif node.op_type != CONSTANT and node.op_type not in OPERATORS:
            yield node.op_type


def _attribute(attribute: onnx.AttributeProto) -> object:
    value = onnx.helper.get_attribute_value(attribute)
    return torch.from_numpy(numpy_helper.to_array(value).copy()) if isinstance(value, onnx.TensorProto) else value


def _constant(node: onnx.NodeProto) -> NDArray[np.generic]:
    """What a node `Constant` holds, however it says it."""
    (attribute,) = node.attribute
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, onnx.TensorProto):
        return numpy_helper.to_array(value)
    return np.array(value, np.int64 if attribute.name.startswith("value_int") else np.float32)
