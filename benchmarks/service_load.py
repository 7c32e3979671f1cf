"""The real service as a process, and callers who ask it for explanations."""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import platform
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from machine import machine
from phonoscope.v1 import audio_pb2, explainer_service_pb2_grpc, explanation_pb2
from phonoscope_client import running_service
from phonoscope_serving.bundle.bundle import Bundle

PACKAGES = ("grpcio", "protobuf", "numpy", "onnxruntime")
Inputs = dict[str, np.ndarray[Any, Any]]
Request = explanation_pb2.ExplainRequest


def one_excerpt(bundle: Bundle) -> tuple[Inputs, Request]:
    """The same excerpt, of noise, for an engine and for the service: by the default rule, its alpha and masking."""
    front_end = bundle.default.front_end
    samples = np.random.default_rng(0).normal(0, 0.1, (1, front_end.excerpt_samples)).astype(np.float32)
    inputs = {
        "samples": samples,
        "alpha": np.array([[bundle.default.rules[0].default_alpha]], np.float32),
        "maximum_area": np.ones((1, 1), np.float32),
        "masking": np.array([[1]], np.int32),
        "control_seed": np.array([[0]], np.int32),
    }
    pcm = audio_pb2.PcmAudio(samples=samples.tobytes(), sample_rate_hz=front_end.sample_rate_hz)
    at_s = front_end.context_frames / front_end.frames_per_second
    return inputs, Request(audio=audio_pb2.Audio(pcm=pcm), at_s=at_s)


@contextmanager
def service(model_repository: Path, *options: str) -> Iterator[str]:
    """The real service as a process on a free port; yields its address.

    Args:
        model_repository: what it serves.
        options: further options of `phonoscope-serve`.
    """
    with running_service(["--model-repository", str(model_repository), *options]) as running:
        yield running.address


async def call_for(address: str, request: Request, clients: int, for_s: float) -> list[float]:
    """Seconds of every call answered while so many callers kept calling, each on its own connection: a closed loop."""
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

    await asyncio.gather(*(caller(number) for number in range(clients)))
    return answered


async def call_at(address: str, request: Request, arrivals_s: Sequence[float]) -> list[float | None]:
    """Seconds from each arrival to its answer, whether or not earlier ones were answered: an open loop.

    Args:
        address: of the service.
        request: what every caller asks.
        arrivals_s: ascending, in seconds from now; a call that leaves late is counted from when it should have left.

    Returns:
        One for each arrival; None where the service refused the call because its queue was full.
    """
    async with grpc.aio.insecure_channel(address) as channel:
        stub = explainer_service_pb2_grpc.ExplainerServiceStub(channel)
        began_s = time.perf_counter()

        async def call(arrival_s: float) -> float | None:
            await asyncio.sleep(max(0.0, began_s + arrival_s - time.perf_counter()))
            try:
                await stub.Explain(request)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                    raise
                return None
            return time.perf_counter() - began_s - arrival_s

        return await asyncio.gather(*(call(arrival_s) for arrival_s in arrivals_s))


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """In milliseconds."""
    return {f"p{p}": float(np.percentile(seconds, p)) * 1e3 for p in (50, 90, 99)}


def circumstances(bundle: Bundle) -> dict[str, Any]:
    """What figures depend on: bundle, processor, cores, versions."""
    return {
        "bundle": {"name": bundle.name, "digest": bundle.digest},
        "machine": machine(),
        "versions": {"python": platform.python_version()} | {p: importlib.metadata.version(p) for p in PACKAGES},
    }


def write(figures: dict[str, Any], path: Path) -> None:
    """Writes figures as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures, indent=2) + "\n")
