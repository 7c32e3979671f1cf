"""What gRPC costs an explanation, over the bare engine.

Both figures come from one run, with service and bare engine taking turns so that both see the same machine:

    grpc_overhead_ms  median time of one Explain over gRPC (one client, float32 PCM of one excerpt, default options)
                      less median time of the bare engine's `explain` for the same excerpt
    grpc_share        rows per second that 16 concurrent gRPC clients get ÷ rows per second of the bare engine at its
                      best batch size

The service runs as a process of its own, as it does in use; the bare engine runs in this one.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from phonoscope.v1 import audio_pb2, explainer_service_pb2, explainer_service_pb2_grpc
from phonoscope_serving.bundle import Bundle, load_bundle
from phonoscope_serving.cli import default_repository
from phonoscope_serving.engines.onnx import OnnxEngine, OnnxOptions
from phonoscope_serving.metrics import Metrics

BATCH_ROWS = (4, 8, 16)
CLIENTS = 16
PACKAGES = ("grpcio", "protobuf", "numpy", "onnxruntime")
READY_S = 120.0
Inputs = dict[str, np.ndarray[Any, Any]]


def get_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True, metavar="PATH", help="where the figures go")
    parser.add_argument("--model-repository", type=Path, default=default_repository(), metavar="DIR")
    parser.add_argument("--calls", type=int, default=200, help="single calls each way (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of throughput (default: %(default)s)")
    parser.add_argument("--round-s", type=float, default=4.0, help="seconds of one measurement (default: %(default)s)")
    return parser


def main() -> None:
    """Measures, prints and writes the figures."""
    options = get_parser().parse_args()
    bundle = load_bundle(options.model_repository)
    engine = OnnxEngine(bundle, OnnxOptions(), Metrics())
    engine.load()
    inputs, request = one_excerpt(bundle)
    with service(options.model_repository) as address:
        latency = measure_latency(engine, inputs, request, address, options.calls)
        throughput = measure_throughput(engine, inputs, request, address, options.rounds, options.round_s)
    figures = {
        **latency,
        **throughput,
        "bundle": {"name": bundle.name, "digest": bundle.digest},
        "machine": {"cores": len(os.sched_getaffinity(0)), "device": engine.device, "threads": engine.threads},
        "versions": {"python": platform.python_version()} | {p: importlib.metadata.version(p) for p in PACKAGES},
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(figures, indent=2) + "\n")
    print(f"gRPC adds {figures['grpc_overhead_ms']:.2f} ms to an explanation of {figures['bare_ms']['median']:.1f} ms;")
    print(f"{CLIENTS} clients get {figures['grpc_share']:.0%} of the bare engine's throughput. Figures: {options.json}")


def one_excerpt(bundle: Bundle) -> tuple[Inputs, explainer_service_pb2.ExplainRequest]:
    """The same excerpt, of noise, for the engine and for the service."""
    front_end = bundle.front_end
    samples = np.random.default_rng(0).normal(0, 0.1, (1, front_end.excerpt_samples)).astype(np.float32)
    inputs = {
        "samples": samples,
        "alpha": np.array([[bundle.default_alpha]], np.float32),
        "maximum_area": np.ones((1, 1), np.float32),
        "masking": np.array([[2]], np.int32),
    }
    pcm = audio_pb2.PcmAudio(samples=samples.tobytes(), sample_rate_hz=front_end.sample_rate_hz)
    at_s = front_end.context_frames / front_end.frames_per_second
    return inputs, explainer_service_pb2.ExplainRequest(audio=audio_pb2.Audio(pcm=pcm), at_s=at_s)


@contextmanager
def service(model_repository: Path) -> Iterator[str]:
    """The real service as a process on a free port; yields its address."""
    with tempfile.TemporaryDirectory() as folder:
        ready, log = Path(folder, "ready.json"), Path(folder, "log")
        command = [sys.executable, "-m", "phonoscope_serving.cli", "--model-repository", str(model_repository)]
        command += ["--address", "127.0.0.1:0", "--metrics-address", "127.0.0.1:0", "--ready-file", str(ready)]
        with log.open("w") as stderr, subprocess.Popen(command, stderr=stderr) as process:
            try:
                give_up = time.monotonic() + READY_S
                while not ready.exists():
                    if process.poll() is not None or time.monotonic() > give_up:
                        sys.exit(f"the service did not start:\n{log.read_text()}")
                    time.sleep(0.05)
                yield json.loads(ready.read_text())["address"]
            finally:
                process.terminate()


def measure_latency(
    engine: OnnxEngine, inputs: Inputs, request: explainer_service_pb2.ExplainRequest, address: str, calls: int
) -> dict[str, Any]:
    """One caller, one excerpt: engine and service in turn."""
    bare: list[float] = []
    served: list[float] = []
    with grpc.insecure_channel(address) as channel:
        stub = explainer_service_pb2_grpc.ExplainerServiceStub(channel)
        for call in range(calls + 10):
            pair = (seconds_of(lambda: engine.run("explain", inputs)), seconds_of(lambda: stub.Explain(request)))
            if call >= 10:  # the first calls fill caches and arenas on both sides
                bare.append(pair[0])
                served.append(pair[1])
    overhead_s = statistics.median(served) - statistics.median(bare)
    return {"grpc_overhead_ms": overhead_s * 1e3, "bare_ms": percentiles(bare), "grpc_ms": percentiles(served)}


def measure_throughput(
    engine: OnnxEngine,
    inputs: Inputs,
    request: explainer_service_pb2.ExplainRequest,
    address: str,
    rounds: int,
    round_s: float,
) -> dict[str, Any]:
    """Sixteen callers, against the engine at each batch size; the median of some rounds."""
    bare: dict[int, list[float]] = {rows: [] for rows in BATCH_ROWS}
    served: list[float] = []
    latencies: list[float] = []
    for number in range(rounds):
        print(f"throughput, round {number + 1} of {rounds}", file=sys.stderr)
        for rows in BATCH_ROWS:
            bare[rows].append(bare_rows_per_s(engine, inputs, rows, round_s))
        seconds = asyncio.run(call_for(address, request, round_s))
        served.append(len(seconds) / round_s)
        latencies += seconds
    bare_medians = {rows: statistics.median(rates) for rows, rates in bare.items()}
    return {
        "grpc_share": statistics.median(served) / max(bare_medians.values()),
        "grpc_rows_per_s": statistics.median(served),
        "bare_rows_per_s": bare_medians,
        "grpc_loaded_ms": percentiles(latencies),
    }


def bare_rows_per_s(engine: OnnxEngine, inputs: Inputs, rows: int, for_s: float) -> float:
    """Rows per second of the bare engine at one batch size."""
    batch = {name: np.repeat(tensor, rows, axis=0) for name, tensor in inputs.items()}
    began_s, done = time.perf_counter(), 0
    while time.perf_counter() - began_s < for_s:
        engine.run("explain", batch)
        done += rows
    return done / (time.perf_counter() - began_s)


async def call_for(address: str, request: explainer_service_pb2.ExplainRequest, for_s: float) -> list[float]:
    """Seconds of every call that was answered while `CLIENTS` callers kept calling, each on its own connection."""
    answered: list[float] = []
    stop_s = time.perf_counter() + for_s

    async def caller(number: int) -> None:
        options = [("grpc.use_local_subchannel_pool", 1), ("phonoscope.client", number)]
        async with grpc.aio.insecure_channel(address, options=options) as channel:
            stub = explainer_service_pb2_grpc.ExplainerServiceStub(channel)
            while time.perf_counter() < stop_s:
                began_s = time.perf_counter()
                await stub.Explain(request)
                if time.perf_counter() <= stop_s:
                    answered.append(time.perf_counter() - began_s)

    await asyncio.gather(*(caller(number) for number in range(CLIENTS)))
    return answered


def seconds_of(call: Callable[[], object]) -> float:
    """How long one call takes."""
    began_s = time.perf_counter()
    call()
    return time.perf_counter() - began_s


def percentiles(seconds: list[float]) -> dict[str, float]:
    """In milliseconds."""
    p50, p90, p99 = (float(np.percentile(seconds, p)) * 1e3 for p in (50, 90, 99))
    return {"median": p50, "p90": p90, "p99": p99}


if __name__ == "__main__":
    main()
