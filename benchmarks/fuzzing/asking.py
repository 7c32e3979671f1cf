"""Requests sent to the real service, which runs in a process of its own and must stay able to answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random

import grpc
import numpy as np
from google.protobuf.descriptor import MethodDescriptor
from phonoscope.v1 import audio_pb2, explainer_service_pb2_grpc, prediction_pb2
from phonoscope_client import running_service

from fuzzing.decoding import CRASHED, HANG_S, HUNG, Outcome, resident_bytes
from fuzzing.formats import RATE_HZ, sound
from fuzzing.inputs import SECONDS, Damaged
from fuzzing.messages import METHODS, SERVICE, request

CALLERS = 6  # more than are answered at once, fewer than the queue holds
ROUND_CALLS = 120  # after which the service must answer a sound request
DEADLINES_S = (0.01, 0.5, 10.0, 10.0, 10.0, 10.0)
ASCENT_DEADLINE_S = 1.0  # of what climbs for as many steps as a request says
_OFTEN = {"Predict": 4, "Explain": 3, "InvertLayers": 2, "Auralise": 2, "Maximise": 1, "DescribeBundle": 1}
_WEIGHTS = [_OFTEN.get(method.name, 1) for method in METHODS]


class Requests:
    """Any number of requests, each made when it is wanted."""

    def __init__(self, seed: int, files: Damaged) -> None:
        """Makes none yet.

        Args:
            seed: other seeds give other requests.
            files: what is sent within them.
        """
        self._seed, self._files = seed, files

    def method(self, number: int) -> MethodDescriptor:
        """What the request of a number asks for."""
        return self._random(number).choices(METHODS, _WEIGHTS)[0]

    def method_name(self, number: int) -> str:
        """Its name."""
        return str(self.method(number).name)

    def __getitem__(self, number: int) -> bytes:
        """The request of a number."""
        random = self._random(number)
        (method,) = random.choices(METHODS, _WEIGHTS)
        return request(method, self._files, random)

    def deadline_s(self, number: int) -> float:
        """How long its caller waits."""
        if self.method(number).name == "Maximise":
            return ASCENT_DEADLINE_S
        return Random(number).choice(DEADLINES_S)

    def _random(self, number: int) -> Random:
        return Random(f"{self._seed} request {number}")


def ask_all(requests: Requests, count: int, model_repository: Path, log: Path) -> Iterator[Outcome]:
    """Sends requests `0` to `count - 1`, a few at once; starts the service again where it ended.

    Args:
        requests: what is sent.
        count: how many.
        model_repository: what the service serves.
        log: where it logs to.

    Returns:
        One outcome for each, whose kind is the name of a status, and one more for each time that the service ended or
        did not answer any more; it has the number of the last request.
    """
    number = 0
    while number < count:
        with running_service(["--model-repository", str(model_repository)], log_path=log) as service:
            while number < count and service.process.poll() is None:
                numbers = range(number, min(count, number + ROUND_CALLS))
                yield from asyncio.run(_round(service.address, requests, numbers, service.process.pid))
                number = numbers.stop
                wrong = "" if service.process.poll() is not None else asyncio.run(_unable(service.address))
                if wrong:
                    yield Outcome(number - 1, HUNG, wrong, HANG_S, 0)
                    break
        if service.process.returncode:
            yield Outcome(number - 1, CRASHED, f"exit code {service.process.returncode}", 0.0, 0)


async def _round(address: str, requests: Requests, numbers: range, process: int) -> list[Outcome]:
    waiting, outcomes = iter(numbers), []
    async with grpc.aio.insecure_channel(address, options=[("grpc.max_receive_message_length", -1)]) as channel:

        async def caller() -> None:
            for number in waiting:
                began_s = time.perf_counter()
                status, detail = await _ask(channel, requests, number)
                try:
                    resident = resident_bytes(process)
                except (FileNotFoundError, ProcessLookupError):
                    resident = 0
                outcomes.append(Outcome(number, status, detail, time.perf_counter() - began_s, resident))

        await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return outcomes


async def _ask(channel: grpc.aio.Channel, requests: Requests, number: int) -> tuple[str, str]:
    """The name of the status a request is answered with, and what the answer says."""
    method = requests.method(number)
    path = f"/{SERVICE.full_name}/{method.name}"
    content, deadline_s = requests[number], requests.deadline_s(number)
    try:
        if method.server_streaming:
            async for _ in _events(channel.unary_stream(path)(content, timeout=deadline_s)):
                pass
        else:
            await channel.unary_unary(path)(content, timeout=deadline_s)
    except grpc.aio.AioRpcError as error:
        return error.code().name, error.details() or ""
    return "OK", ""


async def _events(call: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for event in call:
        yield event


async def _unable(address: str) -> str:
    """Why the service does not answer a sound request any more; empty where it does."""
    samples = sound(SECONDS, RATE_HZ, 1).tobytes()
    audio = audio_pb2.Audio(pcm=audio_pb2.PcmAudio(samples=samples, sample_rate_hz=RATE_HZ))
    async with grpc.aio.insecure_channel(address) as channel:
        stub = explainer_service_pb2_grpc.ExplainerServiceStub(channel)
        try:
            answer = await stub.Predict(prediction_pb2.PredictRequest(audio=audio), timeout=HANG_S)
        except grpc.aio.AioRpcError as error:
            return f"{error.code().name}: {error.details()}"
    probability = np.array(answer.probability)
    return "" if len(probability) and np.isfinite(probability).all() else "a curve without numbers"
