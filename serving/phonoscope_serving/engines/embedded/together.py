"""Steps of an ensemble that ask one graph the same of several tensors, run as one batch of it.

What is tried of a region, such as what it holds, what is left without it and random regions, is one pass of a network
instead of one each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from phonoscope_serving.engines.embedded.graphs import Graphs, Held
from phonoscope_serving.engines.ensemble import Step

# Model, inputs, outputs that are wanted, rows → those outputs.
Execute = Callable[[str, Mapping[str, Held], tuple[str, ...], int], dict[str, Held]]


def shares(steps: tuple[Step, ...], most_rows: int, rows: int) -> list[tuple[Step, ...]]:
    """Which steps are run together: as many as the device is best given, in equal shares.

    Args:
        steps: of one turn; see `Plan.turns`.
        most_rows: of their model that are run at once; 0 where it has no batch axis.
        rows: of each step.
    """
    at_once = max(1, most_rows // rows) if rows else 1
    batches = -(-len(steps) // at_once)
    return [steps[number::batches] for number in range(batches)]


def run_together(
    steps: tuple[Step, ...], tensors: Mapping[str, Held], graphs: Graphs[Held], execute: Execute[Held], rows: int
) -> dict[str, Held]:
    """The tensors that steps make.

    Args:
        steps: which ask the same of one model.
        tensors: that there are already.
        graphs: which hold them.
        execute: runs a model.
        rows: of each step.
    """
    first = steps[0]
    if len(steps) == 1:
        given = {name: tensors[tensor] for name, tensor in first.inputs.items()}
        made = execute(first.model, given, tuple(first.outputs), rows)
        return {tensor: made[name] for name, tensor in first.outputs.items()}
    parts = {name: [graphs.array(tensors[step.inputs[name]]) for step in steps] for name in first.inputs}
    if any(len({part.shape for part in of}) > 1 for of in parts.values()):  # such as sounds of two lengths
        made = {}
        for step in steps:
            made |= run_together((step,), tensors, graphs, execute, rows)
        return made
    joined = {name: graphs.hold(np.concatenate(of)) for name, of in parts.items()}
    made = execute(first.model, joined, tuple(first.outputs), rows * len(steps))
    split = {name: np.split(graphs.array(each), len(steps)) for name, each in made.items()}
    return {
        tensor: graphs.hold(split[name][number])
        for number, step in enumerate(steps)
        for name, tensor in step.outputs.items()
    }
