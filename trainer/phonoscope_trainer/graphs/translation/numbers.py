"""Operators on every number by itself, and reductions of them, as version 20 of ONNX has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

import torch
from torch import Tensor
from torch.nn import functional as F

from phonoscope_trainer.graphs.translation.values import Operator, UntranslatableError, Value, optional_sizes, tensor

FLOATS = {1, 10, 11, 16}  # ONNX's numbers of floating point types
OTHERS = {6: torch.int32, 7: torch.int64, 9: torch.bool}
Function = Callable[[Operator, Sequence[Value]], Tensor]


def each(function: Callable[[Tensor], Tensor]) -> Function:
    """Of one tensor."""
    return lambda _node, inputs: function(tensor(inputs[0]))


def as_it_is(x: Tensor) -> Tensor:
    """Nothing changes."""
    return x


def pairs(function: Callable[[Tensor, Tensor], Tensor]) -> Function:
    """Of two, or of all of several, one after the other."""
    return lambda _node, inputs: reduce(function, [tensor(value) for value in inputs])


def reducing(function: Callable[[Tensor, list[int], bool], Tensor]) -> Function:
    """Over some axes, or all."""

    def reduced(node: Operator, inputs: Sequence[Value]) -> Tensor:
        x, axes = tensor(inputs[0]), optional_sizes(inputs, 1)
        if not axes:
            if node.whole("noop_with_empty_axes", 0):
                return x
            axes = list(range(x.ndim))
        return function(x, axes, bool(node.whole("keepdims", 1)))

    return reduced


def cast(node: Operator, inputs: Sequence[Value]) -> Tensor:
    """To another type; floating point stays what it is, since a translation is also run in double precision."""
    x, wanted = tensor(inputs[0]), node.whole("to", 1)
    if wanted in FLOATS:
        return x if x.is_floating_point() else x.to(torch.float32)
    if wanted not in OTHERS:
        raise UntranslatableError(f"Cast to type {wanted}")
    return x.to(OTHERS[wanted])


def clip(_node: Operator, inputs: Sequence[Value]) -> Tensor:
    """Between two numbers."""
    low, high = (float(tensor(inputs[n])) if len(inputs) > n and inputs[n] is not None else None for n in (1, 2))
    return torch.clamp(tensor(inputs[0]), low, high)


def prelu(_node: Operator, inputs: Sequence[Value]) -> Tensor:
    """A rectifier with slopes."""
    x = tensor(inputs[0])
    return torch.where(x < 0, x * tensor(inputs[1]), x)


def largest_place(node: Operator, inputs: Sequence[Value]) -> Tensor:
    """The number of the first largest place."""
    if node.whole("select_last_index", 0):
        raise UntranslatableError("ArgMax of the last of several")
    return tensor(inputs[0]).argmax(dim=node.whole("axis", 0), keepdim=bool(node.whole("keepdims", 1)))


def mean(_node: Operator, inputs: Sequence[Value]) -> Tensor:
    """Of several tensors."""
    return reduce(torch.add, [tensor(value) for value in inputs]) / len(inputs)


def where(_node: Operator, inputs: Sequence[Value]) -> Tensor:
    """One or the other."""
    condition = tensor(inputs[0]).to(torch.bool)
    return torch.where(condition, tensor(inputs[1]), tensor(inputs[2]))


EACH: dict[str, Callable[[Tensor], Tensor]] = {
    "Abs": torch.abs,
    "Ceil": torch.ceil,
    "Cos": torch.cos,
    "Dropout": as_it_is,  # of a network that is not trained
    "Erf": torch.erf,
    "Exp": torch.exp,
    "Floor": torch.floor,
    "Identity": as_it_is,
    "Log": torch.log,
    "Mish": F.mish,
    "Neg": torch.neg,
    "Not": torch.logical_not,
    "Reciprocal": torch.reciprocal,
    "Relu": F.relu,
    "Round": torch.round,
    "Sigmoid": torch.sigmoid,
    "Sign": torch.sign,
    "Sin": torch.sin,
    "Softplus": F.softplus,
    "Softsign": F.softsign,
    "Sqrt": torch.sqrt,
    "Tanh": torch.tanh,
}
PAIRS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "Add": torch.add,
    "And": torch.logical_and,
    "Div": torch.div,
    "Equal": torch.eq,
    "Greater": torch.gt,
    "GreaterOrEqual": torch.ge,
    "Less": torch.lt,
    "LessOrEqual": torch.le,
    "Max": torch.maximum,
    "Min": torch.minimum,
    "Mul": torch.mul,
    "Or": torch.logical_or,
    "Pow": torch.pow,
    "Sub": torch.sub,
    "Sum": torch.add,
}
NUMBERS: dict[str, Function] = {
    **{name: each(function) for name, function in EACH.items()},
    **{name: pairs(function) for name, function in PAIRS.items()},
    **{
        name: reducing(function)
        for name, function in {
            "ReduceL1": lambda x, axes, keep: x.abs().sum(axes, keepdim=keep),
            "ReduceL2": lambda x, axes, keep: x.square().sum(axes, keepdim=keep).sqrt(),
            "ReduceLogSumExp": lambda x, axes, keep: torch.logsumexp(x, axes, keepdim=keep),
            "ReduceMax": lambda x, axes, keep: x.amax(axes, keepdim=keep),
            "ReduceMean": lambda x, axes, keep: x.mean(axes, keepdim=keep),
            "ReduceMin": lambda x, axes, keep: x.amin(axes, keepdim=keep),
            "ReduceSum": lambda x, axes, keep: x.sum(axes, keepdim=keep),
            "ReduceSumSquare": lambda x, axes, keep: x.square().sum(axes, keepdim=keep),
        }.items()
    },
    "ArgMax": largest_place,
    "Cast": cast,
    "Celu": lambda node, inputs: F.celu(tensor(inputs[0]), node.number("alpha", 1.0)),
    "Clip": clip,
    "Elu": lambda node, inputs: F.elu(tensor(inputs[0]), node.number("alpha", 1.0)),
    "Gelu": lambda node, inputs: F.gelu(tensor(inputs[0]), approximate=node.word("approximate", "none")),
    "HardSigmoid": lambda node, inputs: torch.clamp(
        node.number("alpha", 0.2) * tensor(inputs[0]) + node.number("beta", 0.5), 0, 1
    ),
    "HardSwish": lambda _node, inputs: tensor(inputs[0]) * torch.clamp(tensor(inputs[0]) / 6 + 0.5, 0, 1),
    "LeakyRelu": lambda node, inputs: F.leaky_relu(tensor(inputs[0]), node.number("alpha", 0.01)),
    "LogSoftmax": lambda node, inputs: torch.log_softmax(tensor(inputs[0]), node.whole("axis", -1)),
    "Mean": mean,
    "PRelu": prelu,
    "Selu": lambda _node, inputs: F.selu(tensor(inputs[0])),
    "Softmax": lambda node, inputs: torch.softmax(tensor(inputs[0]), node.whole("axis", -1)),
    "Where": where,
}
