"""Operators on sizes: the shapes that ONNX graphs compute on their way, and reshape by."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence

from phonoscope_trainer.graphs.translation.values import (
    Operator,
    Size,
    UntranslatableError,
    Value,
    optional_sizes,
    sizes,
)

Computed = Size | list[Size]
# `[…] operator […]`, either of which may be one number.
PAIRWISE: dict[str, Callable[[Size, Size], Size]] = {
    "Add": operator.add,
    "Sub": operator.sub,
    "Mul": operator.mul,
    "Div": operator.floordiv,  # of sizes, which are not negative
    "Mod": operator.mod,
    "Max": max,
    "Min": min,
    "Equal": lambda a, b: int(a == b),
}


def computed(node: Operator, inputs: Sequence[Value]) -> Computed:
    """What an operator makes of sizes alone.

    Raises:
        UntranslatableError: it is none that shapes are computed with.
    """
    if node.kind in PAIRWISE:
        return _pairwise(PAIRWISE[node.kind], inputs[0], inputs[1])
    if node.kind not in ON_SIZES:
        raise UntranslatableError(f"{node.kind} of a shape")
    return ON_SIZES[node.kind](node, inputs)


def _pairwise(each: Callable[[Size, Size], Size], first: Value, second: Value) -> Computed:
    a, b = sizes(first), sizes(second)
    count = max(len(a), len(b))
    found = [each(x, y) for x, y in zip(a * (count // len(a)), b * (count // len(b)), strict=True)]
    return found if isinstance(first, list) or isinstance(second, list) else found[0]


def _gather(_node: Operator, inputs: Sequence[Value]) -> Computed:
    data, places = sizes(inputs[0]), inputs[1]
    found = [data[place] for place in sizes(places)]
    return found if isinstance(places, list) else found[0]


def _slice(_node: Operator, inputs: Sequence[Value]) -> Computed:
    steps = optional_sizes(inputs, 4)
    return sizes(inputs[0])[slice(sizes(inputs[1])[0], sizes(inputs[2])[0], steps[0] if steps else 1)]


def _squeeze(_node: Operator, inputs: Sequence[Value]) -> Computed:
    found = sizes(inputs[0])
    return found[0] if len(found) == 1 else found


def _where(_node: Operator, inputs: Sequence[Value]) -> Computed:
    condition = sizes(inputs[0])
    a, b = (sizes(each) * (len(condition) // len(sizes(each))) for each in inputs[1:3])
    return [x if holds else y for holds, x, y in zip(condition, a, b, strict=True)]


def _range(_node: Operator, inputs: Sequence[Value]) -> Computed:
    return list(range(*(sizes(each)[0] for each in inputs)))


ON_SIZES: dict[str, Callable[[Operator, Sequence[Value]], Computed]] = {
    "Cast": lambda _node, inputs: inputs[0],  # type: ignore[dict-item, return-value]  # sizes, as `computed` says
    "Concat": lambda _node, inputs: [each for part in inputs for each in sizes(part)],
    "Gather": _gather,
    "Identity": lambda _node, inputs: inputs[0],  # type: ignore[dict-item, return-value]  # likewise
    "Neg": lambda _node, inputs: [-each for each in sizes(inputs[0])],
    "Range": _range,
    "ReduceProd": lambda _node, inputs: math.prod(sizes(inputs[0])),
    "Slice": _slice,
    "Squeeze": _squeeze,
    "Unsqueeze": lambda _node, inputs: sizes(inputs[0]),
    "Where": _where,
}
