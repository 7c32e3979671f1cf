"""Runs an ensemble in PyTorch: what golden vectors are made with, independent of any serving engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from phonoscope_trainer.graphs.description import Ensemble, Graph


@torch.inference_mode()
def run(ensemble: Ensemble, graphs: Iterable[Graph], inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The ensemble's outputs for `inputs`; steps run in the order in which their inputs become known."""
    modules = {graph.name: graph for graph in graphs}
    known, waiting = dict(inputs), list(ensemble.steps)
    while waiting:
        step = next(s for s in waiting if all(name in known for name in s.inputs.values()))
        waiting.remove(step)
        graph = modules[step.graph]
        result = graph.module(*(known[step.inputs[spec.name]] for spec in graph.inputs))
        values = result if isinstance(result, tuple) else (result,)
        named = dict(zip((spec.name for spec in graph.outputs), values, strict=True))
        known |= {step.outputs[name]: value for name, value in named.items() if name in step.outputs}
    return {spec.name: known[spec.name] for spec in ensemble.outputs}
