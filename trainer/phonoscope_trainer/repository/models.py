"""Writes a Triton model repository: for each graph and ensemble a folder with its `config.pbtxt`.

What a configuration says here is the contract; what a device decides is added by `deployment`.
"""

from __future__ import annotations

import hashlib
import inspect
import logging
import shutil
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnx
import torch
from google.protobuf import text_format
from torch import Tensor, nn
from tritonclient.grpc import model_config_pb2 as triton

from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.graphs.description import Ensemble, Graph, TensorSpec
from phonoscope_trainer.graphs.loop import GO_ON, repeated, with_matrices_outside
from phonoscope_trainer.graphs.ready_made import ReadyMade
from phonoscope_trainer.repository import manifest as bundle
from phonoscope_trainer.repository.held_once import hold_once
from phonoscope_trainer.repository.shared_weights import note_digest

ModelConfig = Any  # tritonclient's inference.ModelConfig, which ships without types

OPSET = 20
TYPES = {"float32": triton.TYPE_FP32, "int32": triton.TYPE_INT32}
VERSION = "1"
PLACEHOLDER = ".gitkeep"  # git keeps no empty folder, and Triton wants a version folder for an ensemble


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """A path to write a bundle to, which takes the place of what is at `out` once all went well.

    Raises:
        ExportError: `out` holds something else than a bundle.
    """
    if out.exists() and any(out.iterdir()) and not (out / bundle.MANIFEST).is_file():
        raise ExportError(f"{out} holds something that is not a bundle; it will not be replaced")
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "repository"
        yield root
        shutil.rmtree(out, ignore_errors=True)
        shutil.move(root, out)


def exported(graph: Graph) -> onnx.ModelProto:
    """A graph as ONNX."""
    with tempfile.TemporaryDirectory() as folder:
        write_graph(graph, Path(folder))
        return onnx.load(Path(folder) / graph.name / "1" / "model.onnx")


def write_graph(graph: Graph, root: Path) -> None:
    """Export one graph with its configuration.

    Raises:
        ExportError: the exported graph is not valid ONNX or has other inputs and outputs than the contract.
    """
    path = root / graph.name / VERSION / "model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    _export(graph, path)
    if graph.iterations > 1:
        onnx.save(repeated(onnx.load(path), graph.iterations), path)
    _check(graph, path)
    config = triton.ModelConfig(
        name=graph.name,
        backend="onnxruntime",
        max_batch_size=graph.maximum_batch,
        input=_inputs(graph.inputs),
        output=_outputs(graph.outputs),
    )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()  # shows a service that a remote server holds this graph
    for name, value in {**graph.parameters, "graph_sha256": digest}.items():
        config.parameters[name].string_value = value
    _write(config, root)


def write_ensemble(ensemble: Ensemble, root: Path) -> None:
    """Write one ensemble's configuration and its empty version folder."""
    config = triton.ModelConfig(
        name=ensemble.name,
        platform="ensemble",
        max_batch_size=ensemble.maximum_batch,
        input=_inputs(ensemble.inputs),
        output=_outputs(ensemble.outputs),
    )
    for step in ensemble.steps:
        config.ensemble_scheduling.step.add(
            model_name=step.graph, model_version=-1, input_map=step.inputs, output_map=step.outputs
        )
    placeholder = root / ensemble.name / VERSION / PLACEHOLDER
    placeholder.parent.mkdir(parents=True, exist_ok=True)
    placeholder.touch()
    _write(config, root)


def write_once(path: Path) -> None:
    """Have a graph that was written before hold each number once, and its configuration know it."""
    model = onnx.load(path)
    has_moved = with_matrices_outside(model)
    hold_once(model)
    content = model.SerializeToString()
    if has_moved or len(content) < path.stat().st_size:
        path.write_bytes(content)
        note_digest(path.parents[1], content)


def _export(graph: Graph, path: Path) -> None:
    """Trace the module with its varying axes, or write what is ONNX already."""
    if isinstance(graph.module, ReadyMade):
        onnx.save(graph.module.model, path)
        return
    batch = torch.export.Dim("batch", min=1) if graph.maximum_batch > 1 else None
    shapes = []
    for spec in graph.inputs:
        axes = {0: batch} if batch is not None else {}
        axes |= {i: torch.export.Dim.DYNAMIC for i, size in enumerate(spec.dims, start=1) if size == -1}
        shapes.append(axes)
    names = [spec.name for spec in graph.inputs]
    outputs = [*(spec.name for spec in graph.outputs), *([GO_ON] if graph.iterations > 1 else [])]
    trace(graph.module, graph.example, path, names, outputs, shapes)


def trace(
    module: nn.Module,
    example: tuple[Tensor, ...],
    path: Path,
    inputs: Sequence[str],
    outputs: Sequence[str],
    dynamic_shapes: Sequence[Mapping[int, Any]],
) -> None:
    """Write a module as ONNX; the exporter's notes about its own internals are not ours to show.

    Args:
        module: traced with `example`.
        example: values for its arguments.
        path: of the file.
        inputs: names of its arguments.
        outputs: names of what it returns.
        dynamic_shapes: the free axes of each argument, as `torch.export` takes them.
    """
    with warnings.catch_warnings(), _quiet("torch"), _quiet("torch.onnx"):
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            example,
            path,
            dynamo=True,
            opset_version=OPSET,
            input_names=inputs,
            output_names=outputs,
            dynamic_shapes=_by_argument(module, dynamic_shapes),
            external_data=False,
            verbose=False,
        )


def _by_argument(module: nn.Module, shapes: Sequence[Mapping[int, Any]]) -> tuple[Any, ...]:
    """What arguments there may be any number of, `*maps`, are one to `torch.export`, with a tuple of shapes."""
    several = inspect.Parameter.VAR_POSITIONAL
    named = list(inspect.signature(module.forward).parameters.values())
    fixed = next((place for place, each in enumerate(named) if each.kind is several), None)
    return tuple(shapes) if fixed is None else (*shapes[:fixed], tuple(shapes[fixed:]))


@contextmanager
def _quiet(logger: str) -> Iterator[None]:
    """Let a logger say only errors for a while."""
    log = logging.getLogger(logger)
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


def _check(graph: Graph, path: Path) -> None:
    """Hold each number once, strip the exporter's notes, so that equal networks give equal files, and check."""
    model = onnx.load(path)
    hold_once(model)
    model.ClearField("metadata_props")
    for each in _graphs(model.graph):
        for part in (each, *each.node, *each.value_info, *each.initializer, *each.input, *each.output):
            part.ClearField("metadata_props")
        for node in each.node:
            node.ClearField("doc_string")
    onnx.save(model, path)
    onnx.checker.check_model(model, full_check=True)
    for kind, specs, values in (
        ("inputs", graph.inputs, model.graph.input),
        ("outputs", graph.outputs, model.graph.output),
    ):
        names = [value.name for value in values]
        if names != [spec.name for spec in specs]:
            raise ExportError(f"{graph.name}: {kind} are {names}, the contract says {[s.name for s in specs]}")


def _graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """A graph and the bodies of its loops."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _graphs(attribute.g)


def _inputs(specs: Iterable[TensorSpec]) -> list[triton.ModelInput]:
    return [triton.ModelInput(name=s.name, data_type=TYPES[s.type], dims=s.dims) for s in specs]


def _outputs(specs: Iterable[TensorSpec]) -> list[triton.ModelOutput]:
    return [triton.ModelOutput(name=s.name, data_type=TYPES[s.type], dims=s.dims) for s in specs]


def _write(config: ModelConfig, root: Path) -> None:
    (root / config.name / "config.pbtxt").write_text(text_format.MessageToString(config), encoding="utf-8")
