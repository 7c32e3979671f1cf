"""Callers of the real service, in a thread of their own, and what becomes of their calls."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import grpc
from google.rpc import error_details_pb2, status_pb2

EXPLAIN = "/phonoscope.v1.ExplainerService/Explain"
MAXIMISE = "/phonoscope.v1.ExplainerService/Maximise"
PREDICT = "/phonoscope.v1.ExplainerService/Predict"
OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
PAUSE_S = 0.05  # after a call that failed
PATIENCE_S = 120.0  # of a caller who names no other deadline: whoever waits longer hangs


@dataclass(frozen=True)
class Outcome:
    """One call."""

    began_s: float  # on the clock of `time.perf_counter`
    seconds: float
    status: str  # name of the gRPC status
    is_hinted: bool  # whether the service said when to ask again
    answer: bytes
    details: str = ""

    @property
    def ended_s(self) -> float:
        """When the answer was there."""
        return self.began_s + self.seconds

    @property
    def is_refusal(self) -> bool:
        """Whether it was refused as a busy service should."""
        return self.status == "RESOURCE_EXHAUSTED" and self.is_hinted


async def ask(method: Callable[..., Awaitable[bytes]], content: bytes, timeout_s: float) -> Outcome:
    """One call, whatever comes of it."""
    began_s = time.perf_counter()
    try:
        answer = await method(content, timeout=timeout_s)
    except grpc.aio.AioRpcError as error:
        seconds = time.perf_counter() - began_s
        return Outcome(began_s, seconds, error.code().name, _is_hinted(error), b"", error.details() or "")
    return Outcome(began_s, time.perf_counter() - began_s, "OK", False, answer)


class Load:
    """Callers who ask again as soon as they are answered, for the length of a `with` block."""

    def __init__(self, address: str, content: bytes, callers: int) -> None:
        """Asks nothing yet.

        Args:
            address: of the service.
            content: the request of every call, to `Explain`.
            callers: each on a connection of its own.
        """
        self.outcomes: list[Outcome] = []
        self._address, self._content, self._callers = address, content, callers
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def wait_for(self, holds: Callable[[Sequence[Outcome]], bool], timeout_s: float) -> bool:
        """Waits until something holds of all outcomes so far; whether it came to that."""
        give_up_s = time.monotonic() + timeout_s
        while not holds(tuple(self.outcomes)):
            if time.monotonic() > give_up_s:
                return False
            time.sleep(0.02)
        return True

    async def _run(self) -> None:
        await asyncio.gather(*(self._caller(number) for number in range(self._callers)))

    async def _caller(self, number: int) -> None:
        async with grpc.aio.insecure_channel(self._address, [*OPTIONS, ("phonoscope.caller", number)]) as channel:
            method = channel.unary_unary(EXPLAIN)
            while not self._stop.is_set():
                outcome = await ask(method, self._content, PATIENCE_S)
                self.outcomes.append(outcome)
                if outcome.status != "OK":
                    await asyncio.sleep(PAUSE_S)


def one_call(address: str, content: bytes) -> list[Outcome]:
    """One caller, who asks once."""
    with Load(address, content, 1) as load:
        load.wait_for(lambda outcomes: len(outcomes) > 0, PATIENCE_S)
    return load.outcomes[:1]


def closed_loop(address: str, content: bytes, callers: int, for_s: float) -> list[Outcome]:
    """So many callers for so long."""
    with Load(address, content, callers) as load:
        time.sleep(for_s)
        until_s = time.perf_counter()
    return [each for each in load.outcomes if each.ended_s <= until_s]


def open_loop(address: str, content: bytes, rate_per_s: float, for_s: float, timeout_s: float) -> list[Outcome]:
    """Calls that arrive evenly, whatever became of those before; those under way at the end are dropped.

    Args:
        address: of the service.
        content: the request of every call, to `Explain`.
        rate_per_s: arrivals a second.
        for_s: how long, in seconds.
        timeout_s: deadline of every call, in seconds.
    """
    return asyncio.run(_open_loop(address, content, rate_per_s, for_s, timeout_s))


async def _open_loop(address: str, content: bytes, rate_per_s: float, for_s: float, timeout_s: float) -> list[Outcome]:
    outcomes: list[Outcome] = []
    running: set[asyncio.Task[None]] = set()
    async with grpc.aio.insecure_channel(address, OPTIONS) as channel:
        method = channel.unary_unary(EXPLAIN)

        async def call() -> None:
            outcomes.append(await ask(method, content, timeout_s))

        began_s = time.perf_counter()
        for number in range(round(rate_per_s * for_s)):
            await asyncio.sleep(max(0.0, began_s + number / rate_per_s - time.perf_counter()))
            task = asyncio.create_task(call())
            running.add(task)
            task.add_done_callback(running.discard)
        await asyncio.sleep(max(0.0, began_s + for_s - time.perf_counter()))
        seen = list(outcomes)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    return seen


def _is_hinted(error: Any) -> bool:  # noqa: ANN401 - grpc ships no types
    packed = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
    details = status_pb2.Status.FromString(packed).details if packed else ()
    return any(detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR) for detail in details)
