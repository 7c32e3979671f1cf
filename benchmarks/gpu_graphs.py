"""Each graph on a GPU beside the CPU: how far apart its numbers are, which operators fell back, what left the device.

The error is the mean absolute difference from the CPU's output over that output's mean absolute value, of the graph's
worst output: one bin of a mask that rounding puts on the other side of its threshold does not count as if all were
wrong. ONNX Runtime's profile tells which operators ran on the CPU all the same, and how many copies between host and
GPU that cost.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import no_telemetry  # noqa: F401 - acts as it is imported
import numpy as np
import onnx
import onnxruntime as ort
from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_trainer.repository import tensorrt
from tritonclient.grpc import model_config_pb2
from tritonclient.utils import triton_to_np_dtype

ROWS = 4  # that graphs are compared on
CPU, CUDA, TENSORRT = (f"{name}ExecutionProvider" for name in ("CPU", "CUDA", "Tensorrt"))
Tensors = dict[str, np.ndarray[Any, Any]]


@dataclass(frozen=True)
class Way:
    """One way to run a graph, and how far from the CPU it may end."""

    title: str
    providers: tuple[Any, ...]
    device: str  # where tensors live
    tolerance: float


ON_CUDA = Way("CUDA", (CUDA, CPU), "cuda", 2e-3)  # convolutions round to 19 bits (TF32) by default
ON_TENSORRT = (
    Way("TensorRT", ((TENSORRT, {"trt_fp16_enable": "0"}), CUDA, CPU), "cuda", 2e-3),
    Way("TensorRT, 16 bits", ((TENSORRT, {"trt_fp16_enable": "1"}), CUDA, CPU), "cuda", 2e-2),
)


@dataclass(frozen=True)
class Finding:
    """One graph, run one way."""

    graph: str
    way: Way
    error: float
    on_cpu: tuple[str, ...]  # operators that fell back
    copies: int  # between host and device, in one run
    strays: tuple[str, ...]  # outputs that are not on the device

    @property
    def fails(self) -> bool:
        """Whether it is too far off, or left the device."""
        return not self.error <= self.way.tolerance or bool(self.strays)


def ways(bundle: Bundle, graph: str) -> tuple[Way, ...]:
    """The ways a graph can be run here."""
    installed = TENSORRT in ort.get_available_providers()
    if installed and not tensorrt.reason_against(onnx.load_from_string(bundle.graph(graph))):
        return (ON_CUDA, *ON_TENSORRT)
    return (ON_CUDA,)


def warm_inputs(bundle: Bundle, graph: str, rows: int) -> Tensors:
    """The inputs a server warms a graph with, repeated."""
    config = bundle.models[graph]
    if not config.model_warmup:
        sys.exit(f"{graph} has no warm-up inputs: `phonoscope-train deploy` writes them")
    tensors = {}
    for name, given in config.model_warmup[0].inputs.items():
        type_name = model_config_pb2.DataType.Name(given.data_type).removeprefix("TYPE_")
        row = np.zeros((1, *given.dims), triton_to_np_dtype(type_name))
        if given.input_data_file:
            row = np.fromfile(bundle.root / graph / "warmup" / given.input_data_file, row.dtype).reshape(row.shape)
        tensors[name] = np.repeat(row, min(rows, config.max_batch_size), axis=0)
    return tensors


def check_graph(bundle: Bundle, graph: str, way: Way) -> Finding:
    """Runs one graph on the CPU and on the device, profiled."""
    inputs = warm_inputs(bundle, graph, ROWS)
    names = [output.name for output in bundle.models[graph].output]
    expected = ort.InferenceSession(bundle.graph(graph), providers=[CPU]).run(names, inputs)
    with tempfile.TemporaryDirectory() as folder:
        options = ort.SessionOptions()
        options.enable_profiling, options.profile_file_prefix = True, str(Path(folder, graph))
        session = ort.InferenceSession(bundle.graph(graph), options, providers=list(way.providers))
        given = {name: ort.OrtValue.ortvalue_from_numpy(value, way.device, 0) for name, value in inputs.items()}
        values = on_device(session, given, names, way.device)
        events = json.loads(Path(session.end_profiling()).read_text())
    nodes = [event["args"] for event in events if event.get("cat") == "Node" and "provider" in event["args"]]
    return Finding(
        graph,
        way,
        max(relative_error(values[name].numpy(), right) for name, right in zip(names, expected, strict=True)),
        tuple(sorted({node["op_name"] for node in nodes if node["provider"] == CPU})),
        sum(node["op_name"].startswith("Memcpy") for node in nodes),
        tuple(name for name, value in values.items() if value.device_name() != way.device),
    )


def on_device(
    session: ort.InferenceSession, inputs: Mapping[str, ort.OrtValue], outputs: list[str], device: str
) -> dict[str, ort.OrtValue]:
    """One run whose inputs and outputs stay where they are, as the service's engine binds them."""
    binding = session.io_binding()
    for name, value in inputs.items():
        binding.bind_ortvalue_input(name, value)
    for name in outputs:
        binding.bind_output(name, device)
    session.run_with_iobinding(binding)
    return dict(zip(outputs, binding.get_outputs(), strict=True))


def relative_error(found: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> float:
    """Mean absolute difference over mean absolute value."""
    return float(np.abs(found - right).mean() / max(float(np.abs(right).mean()), 1e-12))
