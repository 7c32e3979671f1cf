"""Runs an ensemble in PyTorch: what golden vectors are made with, independent of any serving engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from phonoscope_trainer.graphs.description import Ensemble, Graph
from phonoscope_trainer.graphs.loop import NEXT


@torch.inference_mode()
def run(ensemble: Ensemble, graphs: Iterable[Graph], inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The ensemble's outputs for `inputs`; steps run in the order in which their inputs become known."""
    modules = {graph.name: graph for graph in graphs}
    known, waiting = dict(inputs), list(ensemble.steps)
    while waiting:
        step = next(s for s in waiting if all(name in known for name in s.inputs.values()))
        waiting.remove(step)
        graph = modules[step.graph]
        named = _made(graph, {spec.name: known[step.inputs[spec.name]] for spec in graph.inputs})
        known |= {step.outputs[name]: value for name, value in named.items() if name in step.outputs}
    return {spec.name: known[spec.name] for spec in ensemble.outputs}


def _made(graph: Graph, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A graph's outputs; of one that repeats its module, those of the last iteration, as `loop.repeated` says."""
    names, given = [spec.name for spec in graph.outputs], dict(given)
    if graph.iterations == 1:
        result = graph.module(*given.values())
        return dict(zip(names, result if isinstance(result, tuple) else (result,), strict=True))
    made: dict[str, Tensor] = {}
    for _ in range(graph.iterations):
        *values, go_on = graph.module(*given.values())
        made = dict(zip(names, values, strict=True))
        given |= {name.removeprefix(NEXT): value for name, value in made.items() if name.startswith(NEXT)}
        if not go_on:
            break
    return made
