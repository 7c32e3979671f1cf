"""Ten times as many calls as can be answered, without deadlines and with; and explanations beside what takes long."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import soundfile
from fuzzing.decoding import resident_bytes
from phonoscope.v1 import audio_pb2, maximisation_pb2, prediction_pb2
from phonoscope_client import running_service

from soak.asking import MAXIMISE, OPTIONS, PATIENCE_S, PAUSE_S, PREDICT, Outcome, closed_loop, open_loop
from soak.figures import answered, counts, percentile, unexpected
from soak.scale import Scale

SETTLE_S = 1.0  # until what takes long has begun
WATCH_S = 0.25  # between two looks at the memory
LONGEST_S, RATE_HZ = 1190, 8000  # of a recording: just below what is accepted
CLIMB = maximisation_pb2.MaximiseRequest(examples=16, steps=2000, listen=False)


def overload(model_repository: Path, content: bytes, scale: Scale) -> dict[str, Any]:
    """How much is answered of ten times too much, how fast the rest is refused, and what it costs in memory.

    Args:
        model_repository: what is served.
        content: the request of every call.
        scale: how long.
    """
    with running_service(["--model-repository", str(model_repository)]) as service:
        address = service.address
        closed_loop(address, content, scale.callers, min(3.0, scale.capacity_s))  # costs are learnt from it
        idle_s = percentile(answered(closed_loop(address, content, 1, scale.idle_s)), 50)
        capacity = closed_loop(address, content, scale.callers, scale.capacity_s)
        capacity_per_s = len(answered(capacity)) / scale.capacity_s
        with watched_memory(service.process.pid) as memory:
            rate_per_s = scale.overload * capacity_per_s
            patient = open_loop(address, content, rate_per_s, scale.overload_s, PATIENCE_S)
            hurried = open_loop(address, content, rate_per_s, scale.overload_s, scale.deadline_s)
    refusals_s = [each.seconds for each in (*patient, *hurried) if each.is_refusal]
    quarter = max(1, len(memory) // 8)  # of the first of the two
    # A call may be refused once its deadline has come near, and one that was taken on may still miss it.
    errors = unexpected([*capacity, *patient]) + unexpected(hurried, "DEADLINE_EXCEEDED")
    return {
        "goodput_share": _per_s(patient, scale) / capacity_per_s,
        "deadline_goodput_share": _per_s(hurried, scale) / capacity_per_s,
        "refusal_p99_over_p50_idle": percentile(refusals_s, 99) / idle_s,
        "memory_growth": max(memory[-quarter:]) / max(memory[:quarter]),
        "unexpected": errors,
        "capacity_per_s": capacity_per_s,
        "idle_p50_s": idle_s,
        "refusal_p50_s": percentile(refusals_s, 50),
        "refusal_p99_s": percentile(refusals_s, 99),
        "statuses": {"without_deadlines": counts(patient), "with_deadlines": counts(hurried)},
        "resident_mib": {"first": memory[0] / 2**20, "most": max(memory) / 2**20, "last": memory[-1] / 2**20},
    }


def mixed(model_repository: Path, content: bytes, scale: Scale) -> dict[str, Any]:
    """How long an explanation takes beside a maximisation, and beside long recordings, over that alone."""
    with running_service(["--model-repository", str(model_repository)]) as service:
        closed_loop(service.address, content, 1, min(2.0, scale.mixed_s))
        outcomes = {"alone": closed_loop(service.address, content, 1, scale.mixed_s)}
        for name, (method, request) in {"maximise": (MAXIMISE, CLIMB), "hour": (PREDICT, long_recording())}.items():
            with kept_busy(service.address, method, request.SerializeToString()):
                outcomes[name] = closed_loop(service.address, content, 1, scale.mixed_s)
    p99_s = {name: percentile(answered(those), 99) for name, those in outcomes.items()}
    return {
        "explain_p99_beside_maximise": p99_s["maximise"] / p99_s["alone"],
        "explain_p99_beside_hour": p99_s["hour"] / p99_s["alone"],
        "unexpected": unexpected([each for those in outcomes.values() for each in those]),
        "p99_s": p99_s,
        "explanations": {name: len(answered(those)) for name, those in outcomes.items()},
    }


def long_recording() -> prediction_pb2.PredictRequest:
    """Noise, about as long as is accepted; the next begins where one ends, for hours if need be."""
    noise, file = np.random.default_rng(0).normal(0, 0.1, LONGEST_S * RATE_HZ), io.BytesIO()
    soundfile.write(file, noise, RATE_HZ, format="FLAC")
    return prediction_pb2.PredictRequest(audio=audio_pb2.Audio(encoded=file.getvalue()))


@contextmanager
def kept_busy(address: str, method: str, content: bytes) -> Iterator[None]:
    """Calls of a method, one after the other, for the length of the block.

    Args:
        address: of the service.
        method: full name; of one request, and of one answer or a stream.
        content: the request.

    Raises:
        RuntimeError: one of them failed, so that nothing was beside what was measured.
    """
    stop, failed = threading.Event(), list[str]()
    with grpc.insecure_channel(address, OPTIONS) as channel:

        def ask() -> None:
            while not stop.wait(PAUSE_S):
                try:
                    for _ in channel.unary_stream(method)(content):
                        pass
                except grpc.RpcError as error:
                    failed.extend([] if stop.is_set() else [f"{error.code().name}: {error.details()}"])
                except ValueError:  # the channel was closed
                    return

        thread = threading.Thread(target=ask)
        thread.start()
        try:
            time.sleep(SETTLE_S)
            yield
        finally:
            stop.set()
            channel.close()
            thread.join()
    if failed:
        raise RuntimeError(f"{method}: {failed[0]}")


@contextmanager
def watched_memory(process: int) -> Iterator[list[int]]:
    """Bytes of memory that a process had, again and again, for the length of the block."""
    seen, stop = [resident_bytes(process)], threading.Event()

    def look() -> None:
        while not stop.wait(WATCH_S):
            seen.append(resident_bytes(process))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def _per_s(outcomes: list[Outcome], scale: Scale) -> float:
    return len(answered(outcomes)) / scale.overload_s
