"""What the service asks of an engine, on a GPU beside the CPU: whether answers agree, and how long they take."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from gpu_graphs import Tensors
from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.engines.onnx.engine import OnnxEngine, OnnxOptions
from phonoscope_serving.errors import OptionsError
from phonoscope_serving.metrics import Metrics

TIMED_ROWS = (1, 16, 64)
CALLS = 100


@dataclass(frozen=True)
class Timing:
    """One ensemble on the GPU and on the CPU."""

    model: str
    difference: float  # of its probabilities, at most
    p50_ms: float
    p99_ms: float
    cpu_p50_ms: float
    rows_per_s: Mapping[int, float]  # rows of a call → rows per second


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
