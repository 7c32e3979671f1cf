"""Whether the graphs give the CPU's numbers on an NVIDIA GPU, stay there, and what the ensembles gain by it.

Every graph is run on its warm-up inputs by ONNX Runtime's CUDA provider, and by TensorRT where it is installed and
takes the graph, and compared with the CPU. The error is the mean absolute difference from the CPU's output over that
output's mean absolute value, of the graph's worst output: one bin of a mask that rounding puts on the other side of its
threshold does not count as if all were wrong. ONNX Runtime's profile tells which operators ran on the CPU all the same,
and how many copies between host and GPU that cost. Ensembles are timed with their tensors on the GPU from step to step.

Where there is no GPU it says so and ends with 0. It ends with 1 if an error is above its tolerance, or an output was
not left on the GPU for the next step.
"""

from __future__ import annotations

import argparse
import datetime
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from phonoscope_serving.bundle.bundle import Bundle, load_bundle
from phonoscope_serving.cli import default_repository
from phonoscope_serving.engines.ensemble import is_ensemble, plan
from phonoscope_serving.engines.onnx.engine import OnnxEngine, OnnxOptions
from phonoscope_serving.errors import OptionsError
from phonoscope_serving.metrics import Metrics
from phonoscope_trainer.repository import tensorrt as deployment_tensorrt
from tritonclient.grpc import model_config_pb2
from tritonclient.utils import triton_to_np_dtype

ROWS = 4  # that graphs are compared on
TIMED_ROWS = (1, 16, 64)
CALLS = 100
ENSEMBLE_TOLERANCE = 0.01  # of a probability
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


@dataclass(frozen=True)
class Timing:
    """One ensemble on the GPU and on the CPU."""

    model: str
    difference: float  # of its probabilities, at most
    p50_ms: float
    p99_ms: float
    cpu_p50_ms: float
    rows_per_s: Mapping[int, float]  # rows of a call → rows per second


def main() -> int:
    """Checks, prints a dated table in Markdown; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model-repository", type=Path, default=default_repository(), metavar="DIR")
    options = parser.parse_args()
    bundle = load_bundle(options.model_repository)
    if reason := reason_against():
        print(f"There is no NVIDIA GPU that ONNX Runtime can use here: {reason}. Nothing was checked.")
        return 0
    ort.preload_dlls()  # CUDA and cuDNN, where they were installed as Python packages
    gpu, cpu = engine(bundle, "cuda"), engine(bundle, "cpu")
    graphs = [name for name, config in bundle.models.items() if not is_ensemble(config)]
    findings = [check_graph(bundle, name, way) for name in graphs for way in ways(bundle, name)]
    timings = time_ensembles(bundle, gpu, cpu)
    print(report(bundle, findings, timings))
    wrong = any(timing.difference > ENSEMBLE_TOLERANCE for timing in timings)
    return int(wrong or any(finding.fails for finding in findings))


def reason_against() -> str:
    """Why no GPU can be used; empty where one can."""
    if CUDA not in ort.get_available_providers():
        return f"this ONNX Runtime {ort.__version__} has no CUDA provider"
    if shutil.which("nvidia-smi") is None or not gpu_name():
        return "nvidia-smi finds none"
    return ""


def gpu_name() -> str:
    """Name and driver of the first GPU."""
    command = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.partition("\n")[0]


def ways(bundle: Bundle, graph: str) -> tuple[Way, ...]:
    """The ways a graph can be run here."""
    installed = TENSORRT in ort.get_available_providers()
    if installed and not deployment_tensorrt.reason_against(onnx.load_from_string(bundle.graph(graph))):
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


def engine(bundle: Bundle, device: Any) -> OnnxEngine:  # noqa: ANN401 - the engine's own literal type
    """The service's engine on a device.

    Raises:
        SystemExit: it cannot be loaded there.
    """
    made = OnnxEngine(bundle, OnnxOptions(device=device), Metrics())
    try:
        made.load()
    except OptionsError as error:
        sys.exit(str(error))
    return made


def time_ensembles(bundle: Bundle, gpu: OnnxEngine, cpu: OnnxEngine) -> list[Timing]:
    """Every model the service calls, on the golden inputs."""
    golden = bundle.golden()
    inputs = {
        ensemble: {n.split(".")[2]: value[:1] for n, value in golden.items() if n.startswith(f"{ensemble}.input.")}
        for ensemble in ("explain_masker", "explain_gradient", "explain_inversion", "heard", "predict")
    }
    known = inputs["explain_masker"] | cpu.run("explain_masker", inputs["explain_masker"])
    inputs["masked"] = {tensor.name: known[tensor.name] for tensor in bundle.models["masked"].input}
    return [time_model(bundle, name, value, gpu, cpu) for name, value in inputs.items()]


def time_model(bundle: Bundle, model: str, inputs: Tensors, gpu: OnnxEngine, cpu: OnnxEngine) -> Timing:
    """One model: the same numbers, and how long they take."""
    found, right = gpu.run(model, inputs), cpu.run(model, inputs)
    compared = [name for name in right if "probability" in name] or list(right)
    rates = {}
    for rows in TIMED_ROWS:
        if rows <= bundle.models[model].max_batch_size:
            batch = {name: np.repeat(tensor, rows, axis=0) for name, tensor in inputs.items()}
            rates[rows] = rows / float(np.mean(seconds(gpu, model, batch)))
    alone, on_cpu = seconds(gpu, model, inputs), seconds(cpu, model, inputs)
    return Timing(
        model,
        max(float(np.abs(found[name] - right[name]).max()) for name in compared),
        p50_ms=float(np.median(alone)) * 1e3,
        p99_ms=float(np.percentile(alone, 99)) * 1e3,
        cpu_p50_ms=float(np.median(on_cpu)) * 1e3,
        rows_per_s=rates,
    )


def seconds(engine: OnnxEngine, model: str, inputs: Tensors) -> list[float]:
    """How long each of some calls takes; the first ones are not counted."""
    taken = []
    for _ in range(CALLS + 10):
        began_s = time.perf_counter()
        engine.run(model, inputs)
        taken.append(time.perf_counter() - began_s)
    return taken[10:]


def report(bundle: Bundle, findings: list[Finding], timings: list[Timing]) -> str:
    """Dated tables in Markdown."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    copies = {finding.graph: finding.copies for finding in findings if finding.way == ON_CUDA}
    lines = [
        f"## {today}: {gpu_name()}, ONNX Runtime {ort.__version__}, bundle {bundle.name} ({bundle.digest[:12]})",
        "",
        "| graph | provider | error | tolerance | operators on the CPU | copies | outputs on the GPU |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| `{f.graph}` | {f.way.title} | {f.error:.1e}{' **too far**' if f.error > f.way.tolerance else ''} "
            f"| {f.way.tolerance:.0e} | {', '.join(f.on_cpu) or 'none'} | {f.copies} | {_stayed(f)} |"
            for f in findings
        ),
        "",
        "| model | steps' copies | difference | p50 ms | p99 ms | CPU p50 ms | rows/s (rows of a call) |",
        "|---|---|---|---|---|---|---|",
    ]
    for t in timings:
        config = bundle.models[t.model]
        steps = [s.model for s in plan(config, bundle.models).steps] if is_ensemble(config) else [t.model]
        rates = ", ".join(f"{rate:.0f} ({rows})" for rows, rate in t.rows_per_s.items())
        lines.append(
            f"| `{t.model}` | {sum(copies[step] for step in steps)} | {t.difference:.1e} "
            f"| {t.p50_ms:.2f} | {t.p99_ms:.2f} | {t.cpu_p50_ms:.2f} | {rates} |"
        )
    return "\n".join(lines)


def _stayed(finding: Finding) -> str:
    return f"not {', '.join(finding.strays)}" if finding.strays else "all"


if __name__ == "__main__":
    sys.exit(main())
