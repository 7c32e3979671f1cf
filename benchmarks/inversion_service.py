"""What gRPC costs where every layer of one excerpt is inverted, over the bare engine.

    grpc_over_engine  median time of one InvertLayers over gRPC (one client, float32 PCM of one excerpt, every layer,
                      no sound) ÷ median time of the bare engine's `invert_layers` for the same excerpt; the median of
                      some bouts of calls, service and engine in turn

The service runs as a process of its own, as it does in use; the bare engine runs in this one.
"""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import grpc
from bench_explain import BOUT_CALLS, bout_of
from phonoscope.v1 import explainer_service_pb2_grpc, inversion_pb2
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.command_line import default_repository
from phonoscope_serving.engines.onnx.engine import OnnxEngine, OnnxOptions
from phonoscope_serving.metrics import Metrics
from service_load import circumstances, one_excerpt, percentiles, service


def measure(model_repository: Path | None = None, calls: int = 150) -> dict[str, Any]:
    """Measures on a bundle whose layers can be inverted.

    Args:
        model_repository: the bundle; None for the one `phonoscope-serve` would take.
        calls: each way.

    Returns:
        `grpc_over_engine`, percentiles of both times in milliseconds, and what they depend on.
    """
    root = model_repository or default_repository()
    bundle = load_bundle(root)
    engine = OnnxEngine(bundle, OnnxOptions(), Metrics())
    engine.load()
    inputs, explain = one_excerpt(bundle)
    samples = {"samples": inputs["samples"]}
    request = inversion_pb2.InvertLayersRequest(audio=explain.audio, at_s=explain.at_s)
    with service(root) as address, grpc.insecure_channel(address) as channel:
        stub = explainer_service_pb2_grpc.ExplainerServiceStub(channel)
        bouts = [
            (bout_of(lambda: engine.run("invert_layers", samples)), bout_of(lambda: stub.InvertLayers(request)))
            for _ in range(1 + calls // BOUT_CALLS)
        ][1:]  # the first ones fill arenas on both sides
    return {
        "grpc_over_engine": statistics.median(
            statistics.median(served) / statistics.median(bare) for bare, served in bouts
        ),
        "bare_ms": percentiles([seconds for bare, _ in bouts for seconds in bare]),
        "grpc_ms": percentiles([seconds for _, served in bouts for seconds in served]),
        "layers": list(bundle.default.inversion_error_quantiles),
        **circumstances(bundle),
    }
