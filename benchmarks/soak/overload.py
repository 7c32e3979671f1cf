"""Ten times as many calls as can be answered, without deadlines and with; and explanations beside a maximisation."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from fuzzing.decoding import resident_bytes
from phonoscope.v1 import maximisation_pb2
from phonoscope_client import running_service

from soak.asking import MAXIMISE, OPTIONS, PATIENCE_S, Outcome, closed_loop, open_loop
from soak.figures import answered, counts, percentile, unexpected
from soak.scale import Scale

WATCH_S = 0.25  # between two looks at the memory
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
    """How long an explanation takes beside a maximisation, over how long it takes alone."""
    with running_service(["--model-repository", str(model_repository)]) as service:
        closed_loop(service.address, content, 1, min(2.0, scale.mixed_s))
        alone = closed_loop(service.address, content, 1, scale.mixed_s)
        with climbing(service.address):
            beside = closed_loop(service.address, content, 1, scale.mixed_s)
    alone_s, beside_s = percentile(answered(alone), 99), percentile(answered(beside), 99)
    return {
        "explain_p99_beside_maximise": beside_s / alone_s,
        "unexpected": unexpected([*alone, *beside]),
        "alone_p99_s": alone_s,
        "beside_p99_s": beside_s,
        "explanations": {"alone": len(answered(alone)), "beside": len(answered(beside))},
    }


@contextmanager
def climbing(address: str) -> Iterator[None]:
    """A maximisation that goes on for the length of the block; the next begins where one ends."""
    stop, begun = threading.Event(), threading.Event()

    async def climb() -> None:
        async with grpc.aio.insecure_channel(address, OPTIONS) as channel:
            method = channel.unary_stream(MAXIMISE)
            while not stop.is_set():
                call = method(CLIMB.SerializeToString())
                async for _ in call:
                    begun.set()
                    if stop.is_set():
                        call.cancel()
                        return

    thread = threading.Thread(target=lambda: asyncio.run(climb()))
    thread.start()
    try:
        begun.wait(PATIENCE_S)
        yield
    finally:
        stop.set()
        thread.join()


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
