"""Warm-up: a server runs every graph with realistic inputs before it says that it is ready.

The inputs are what each graph meets when the golden inputs pass through the ensembles.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from phonoscope_trainer.repository.golden import read_golden
from phonoscope_trainer.repository.models import ModelConfig

Tensors = dict[str, NDArray[Any]]
LARGEST_FILE_BYTES = 40_000  # a picture of the detector; larger inputs are warmed up with zeros: the bundle stays small
FOLDER = "warmup"  # beside the version folders: where Triton looks for input files


def met_inputs(root: Path, configs: Mapping[str, ModelConfig]) -> dict[str, Tensors]:
    """For every graph, the inputs it meets first, one row each.

    Args:
        root: the bundle.
        configs: every model's configuration.

    Returns:
        Graph → tensor → `[1, …]`. A tensor that no ensemble knows is left out.
    """
    met: dict[str, Tensors] = {}
    seen: list[tuple[str, NDArray[Any]]] = []
    golden = read_golden(root)
    names = {name.partition(".")[0] for name in golden}
    # Explanations first: a detector is warmed with an excerpt as it was recorded, not with exchanged music.
    for ensemble in sorted(names, key=lambda name: (not name.startswith("explain_"), name)):
        prefix = f"{ensemble}.input."
        known = {name.removeprefix(prefix): array[:1] for name, array in golden.items() if name.startswith(prefix)}
        for step in configs[ensemble].ensemble_scheduling.step:
            feeds = {name: known[tensor] for name, tensor in step.input_map.items()}
            met.setdefault(step.model_name, feeds)
            known |= _run(root, step, feeds)
        seen += known.items()
    for name, config in configs.items():
        if name not in met and config.platform != "ensemble":  # called as it is
            met[name] = {
                tensor.name: value
                for tensor in config.input
                for known_as, value in reversed(seen)  # the first that fits is the one that stays
                if known_as == tensor.name and _fits(value, tensor.dims)
            }
    return met


def write_warmup(config: ModelConfig, inputs: Tensors, folder: Path, rows: tuple[int, ...]) -> None:
    """Write the input files, and have the configuration name them for each number of rows; zeros for what has none.

    Args:
        config: the graph's configuration, added to.
        inputs: tensor → `[1, …]`.
        folder: the graph's.
        rows: batch sizes to warm.
    """
    shutil.rmtree(folder / FOLDER, ignore_errors=True)  # what a bundle of before had there
    (folder / FOLDER).mkdir()
    carried = {name: value for name, value in inputs.items() if value.nbytes <= LARGEST_FILE_BYTES}
    for name, value in carried.items():
        (folder / FOLDER / name).write_bytes(np.ascontiguousarray(value).tobytes())
    for count in rows:
        sample = config.model_warmup.add(name=f"rows_{count}", batch_size=count)
        for tensor in config.input:
            entry = sample.inputs[tensor.name]
            entry.data_type = tensor.data_type
            entry.dims.extend(inputs[tensor.name].shape[1:] if tensor.name in inputs else tensor.dims)
            if tensor.name in carried:
                entry.input_data_file = tensor.name
            else:
                entry.zero_data = True


def _fits(value: NDArray[Any], dims: Iterable[int]) -> bool:
    """Whether `[1, …]` has the shape that a graph's input must have; -1 is any."""
    wanted = tuple(dims)
    return len(wanted) == value.ndim - 1 and all(
        size in (-1, had) for size, had in zip(wanted, value.shape[1:], strict=True)
    )


def _run(root: Path, step: ModelConfig, feeds: Tensors) -> Tensors:
    graph = root / step.model_name / "1" / "model.onnx"
    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    values = session.run(list(step.output_map), feeds)
    return dict(zip(step.output_map.values(), values, strict=True))
