"""Graphs compiled by OpenVINO: one form for each set of outputs that ensembles ask a graph for.

OpenVINO computes and hands over every output of what it has compiled, asked for or not: a probability from a detector
with all its layers as outputs takes a third longer than from one without. A form is the graph cut down to its outputs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import openvino as ov

from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.bundle.config import ModelConfig
from phonoscope_serving.bundle.precision import Precision
from phonoscope_serving.engines.ensemble import is_ensemble, plan
from phonoscope_serving.engines.openvino.rewriting import rewrite
from phonoscope_serving.errors import BundleError

Outputs = tuple[str, ...]
Form = tuple[frozenset[str], ov.CompiledModel]

TYPES = {"float32": ov.Type.f32, "bfloat16": ov.Type.bf16}


def settings(threads: int, precision: Precision) -> dict[str, Any]:
    """What every graph is compiled with; nothing that numbers depend on is left to the library's guess.

    Args:
        threads: of one graph.
        precision: of products and what lies between them; inputs and outputs are float32.
    """
    return {
        "INFERENCE_PRECISION_HINT": TYPES[precision],
        "EXECUTION_MODE_HINT": "ACCURACY",
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0",
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,  # two lanes that run the same graph take turns; each stream would hold the weights
        "ENABLE_CPU_PINNING": False,  # the event loop runs on the same cores
    }


def read(name: str, graph: bytes, config: ModelConfig, core: ov.Core) -> ov.Model:
    """Reads one graph.

    Raises:
        BundleError: it cannot be read, or lacks a tensor that its config promises.
    """
    try:
        model = core.read_model(graph, b"")  # weights outside a graph are outside its digest, too
    except RuntimeError as error:
        raise BundleError(f"{name}: OpenVINO cannot load the graph: {error}") from error
    for kind, promised, present in (
        ("input", config.input, model.inputs),
        ("output", config.output, model.outputs),
    ):
        if absent := {tensor.name for tensor in promised}.difference(*(each.get_names() for each in present)):
            raise BundleError(f"{name}: its graph has no {kind} {', '.join(sorted(absent))}")
    rewrite(model)
    return model


def compiled(
    name: str, model: ov.Model, forms: Iterable[Outputs], options: dict[str, Any], core: ov.Core
) -> list[Form]:
    """A graph in each of its forms, the one with the fewest outputs first.

    Raises:
        BundleError: OpenVINO cannot compile it.
    """
    try:
        return [
            (frozenset(outputs), core.compile_model(_cut(name, model, outputs), "CPU", options))
            for outputs in sorted(forms, key=len)
        ]
    except RuntimeError as error:
        raise BundleError(f"{name}: OpenVINO cannot compile the graph: {error}") from error


def _cut(name: str, model: ov.Model, outputs: Outputs) -> ov.Model:
    return ov.Model([model.output(each) for each in outputs], model.get_parameters(), name)


def smallest(forms: list[Form], wanted: Collection[str]) -> ov.CompiledModel:
    """The form with the fewest outputs that has those wanted."""
    return next(compiled for outputs, compiled in forms if outputs.issuperset(wanted))


def forms_of(bundle: Bundle) -> dict[str, list[Outputs]]:
    """The sets of outputs that ensembles ask each graph for, and all, which others may ask for."""
    asked: dict[str, set[Outputs]] = {
        name: {tuple(output.name for output in config.output)}
        for name, config in bundle.models.items()
        if not is_ensemble(config)
    }
    for config in bundle.models.values():
        for step in plan(config, bundle.models).steps if is_ensemble(config) else ():
            if step.model in asked:
                asked[step.model].add(tuple(sorted(step.outputs)))
    # The same outputs in another order are the same.
    return {name: list({frozenset(outputs): outputs for outputs in sets}.values()) for name, sets in asked.items()}
