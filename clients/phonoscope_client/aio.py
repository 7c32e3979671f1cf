"""The client for asyncio: the same questions, asked without keeping the event loop waiting.

Example:
    async with aio.Client("localhost:50051") as client:
        async with client.explain_track("song.mp3", every_s=5) as parts:
            async for part in parts:
                print(part)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from phonoscope.v1.explainer_service_pb2_grpc import ExplainerServiceStub

from phonoscope_client.questions import auralise, describe, explain, invert, maximise, predict, track
from phonoscope_client.questions.asking import asks
from phonoscope_client.questions.question import Question, StreamQuestion
from phonoscope_client.results.track import Track, collected
from phonoscope_client.results.track.track import TrackPart
from phonoscope_client.transport.aio_calls import AioCalls
from phonoscope_client.transport.channel import Tls, open_aio_channel
from phonoscope_client.transport.terms import Terms, seconds

Asked = ParamSpec("Asked")
Result = TypeVar("Result")


class TrackStream(AsyncIterator[TrackPart]):
    """The parts of an answer about a whole track, as they come; use it in `async with` to leave early.

    Args:
        parts: gives them; closing it ends the call.
    """

    def __init__(self, parts: AsyncGenerator[TrackPart]) -> None:
        self._parts = parts

    async def __anext__(self) -> TrackPart:
        return await anext(self._parts)

    async def collect(self) -> Track:
        """All that is left of it, as one result."""
        async with self:
            return collected([part async for part in self])

    async def close(self) -> None:
        """End the call; the service stops its work."""
        await self._parts.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _asks(
    question: Callable[Asked, Question[Result]],
) -> Callable[Concatenate[Client, Asked], Coroutine[Any, Any, Result]]:
    async def ask(client: Client, /, *args: Asked.args, **kwargs: Asked.kwargs) -> Result:
        return await client._answer(await asyncio.to_thread(question, *args, **kwargs))  # it may read files

    return asks(question, ask)


def _follows(
    question: Callable[Asked, StreamQuestion[Result]],
) -> Callable[Concatenate[Client, Asked], Coroutine[Any, Any, Result]]:
    async def ask(client: Client, /, *args: Asked.args, **kwargs: Asked.kwargs) -> Result:
        return await client._follow(question(*args, **kwargs))

    return asks(question, ask)


def _streams(question: Callable[Asked, track.TrackQuestion]) -> Callable[Concatenate[Client, Asked], TrackStream]:
    def ask(client: Client, /, *args: Asked.args, **kwargs: Asked.kwargs) -> TrackStream:
        return TrackStream(client._parts(question(*args, **kwargs)))

    return asks(question, ask, "TrackStream")


class Client:
    """A connection to an explainer service, for the event loop it is made in; close it, or use it in `async with`.

    Its methods are those of `phonoscope_client.Client`, awaited, and so are its arguments and what it raises.
    """

    def __init__(
        self,
        address: str,
        *,
        timeout_s: float = 30.0,
        tls: Tls | None = None,
        token: str | None = None,
        patience_s: float = 10.0,
        retry_busy: bool = True,
    ) -> None:
        terms = Terms(timeout_s, token, patience_s, retry_busy=retry_busy)
        self._channel = open_aio_channel(address, tls)
        self._calls = AioCalls(self._channel, terms)
        self._stub = ExplainerServiceStub(self._channel)

    predict = _asks(predict.predict)
    explain = _asks(explain.explain)
    explain_track = _streams(track.explain_track)
    invert_layers = _asks(invert.invert_layers)
    auralise = _asks(auralise.auralise)
    maximise = _follows(maximise.maximise)
    describe = _asks(describe.describe)

    async def close(self) -> None:
        """End the connection; calls in flight are cancelled."""
        await self._channel.close()

    async def _answer(self, question: Question[Result]) -> Result:
        return question.read(await self._calls.answer(question.method, self._method(question.method), question.request))

    async def _follow(self, question: StreamQuestion[Result]) -> Result:
        reading, method = question.begin(), self._method(question.method)
        async with aclosing(self._calls.stream(question.method, method, lambda: question.request)) as messages:
            async for message in messages:
                reading.take(message)
        return reading.result()

    async def _parts(self, question: track.TrackQuestion) -> AsyncGenerator[TrackPart]:
        reading, method = question.begin(), self._method(track.METHOD)
        timeout_s = float("inf") if question.timeout_s is None else seconds("timeout_s", question.timeout_s)
        async with aclosing(self._calls.stream(track.METHOD, method, question.requests, timeout_s)) as messages:
            async for message in messages:
                if (part := reading.part(message)) is not None:
                    yield part

    def _method(self, name: str) -> Callable[..., Any]:
        method: Callable[..., Any] = getattr(self._stub, name)
        return method

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
