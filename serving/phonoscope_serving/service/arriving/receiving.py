"""Requests on their way in: each is sent when it is its turn, within a time, and is looked at before it is decoded.

A call is known before its request is: until a message is asked for, its sender can send no more of it than the
connection's window. So who may not call, or must wait, costs next to nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import ExitStack, aclosing, contextmanager
from typing import Any

from google.protobuf.message import DecodeError

from phonoscope_serving.admission.places import Places
from phonoscope_serving.errors import DeadlinePassed, InvalidRequest, QueueFull
from phonoscope_serving.service.arriving.weight import whole_bytes
from phonoscope_serving.service.arriving.wire_format import check_fields
from phonoscope_serving.service.request_context import current
from phonoscope_serving.service.validation import violations

Answer = Callable[[Any, Any], Awaitable[Any]]  # request, context → response
Requests = Any  # grpc's stream of bytes; what iterates over it is an async generator
Deserialize = Callable[[bytes], Any]  # of a message's class, whose `FromString` it is

RECEIVED_AT_ONCE = 16  # requests; together they may take a gigabyte before anybody knows what they are
MOST_WAITING = 512
HELD_RETRY_S = 1.0  # about what the largest recording takes to be answered
LEAVING_S = 1.0
COPIES = 2  # of a request's sound while it is answered: the message, and what is read from it


class Receiver:
    """Receives the requests of one server."""

    def __init__(self, max_bytes: int, receive_s: float) -> None:
        """Nothing has arrived yet.

        Args:
            max_bytes: of requests that are being answered.
            receive_s: one may take to arrive, once it may be sent.
        """
        self._max_bytes, self._receive_s = max_bytes, receive_s
        self._places = Places("be received", RECEIVED_AT_ONCE, MOST_WAITING)
        self._held_bytes = 0

    def one(self, deserialize: Deserialize, proceed: Answer) -> Answer:
        """Receives the one request of a call, and has it answered.

        Args:
            deserialize: makes it a message.
            proceed: answers the message.
        """

        async def answer(requests: Requests, context: Any) -> Any:  # noqa: ANN401 - grpc ships no types
            self._refuse_beyond(0)
            async with aclosing(self.messages(deserialize, requests)) as messages:
                request = await anext(messages, None)
            if request is None:  # its caller left, which cancels this in a moment, or sent none
                await asyncio.sleep(LEAVING_S)
                raise InvalidRequest.at("request", "is missing")
            with self._held(COPIES * request.ByteSize()):
                if found := violations(request):
                    raise InvalidRequest(found)
                return await proceed(request, context)

        return answer

    def each(self, deserialize: Deserialize, proceed: Callable[[Any, Any], AsyncGenerator[Any]]) -> Answer:
        """Receives the requests of a call one by one, each when it is asked for, and has them answered.

        Args:
            deserialize: makes them messages.
            proceed: answers a stream of messages by another.
        """

        async def answer(requests: Requests, context: Any) -> None:  # noqa: ANN401 - grpc ships no types
            with ExitStack() as held:

                async def checked() -> AsyncGenerator[Any]:
                    async with aclosing(self.messages(deserialize, requests)) as messages:
                        async for message in messages:
                            if found := violations(message):
                                raise InvalidRequest(found)
                            if sound_bytes := whole_bytes(message):
                                held.enter_context(self._held(COPIES * sound_bytes))
                            yield message

                async with aclosing(checked()) as messages, aclosing(proceed(messages, context)) as responses:
                    async for response in responses:
                        await context.write(response)

        return answer

    async def messages(self, deserialize: Deserialize, requests: Requests) -> AsyncGenerator[Any]:
        """The messages of a call, decoded.

        Raises:
            QueueFull: too many calls wait to send theirs.
            DeadlinePassed: one did not arrive in time.
            InvalidRequest: one cannot be decoded, or would take far more room decoded.
        """
        # Left open, the generator within would keep the last message until Python looks for rings of references.
        async with aclosing(aiter(requests)) as arriving:
            async with self._places.place(current().caller):
                request = await self._next(deserialize, arriving)
            while request is not None:
                yield request
                # Whoever sends more may do so for hours, and would take a place from all others as long.
                request = await self._next(deserialize, arriving)

    async def _next(self, deserialize: Deserialize, arriving: AsyncGenerator[bytes]) -> Any:  # noqa: ANN401 - protobuf
        try:
            async with asyncio.timeout(self._receive_s):
                request = await anext(arriving, None)
        except TimeoutError:
            raise DeadlinePassed(f"the request had not arrived after {self._receive_s:g} s") from None
        return None if request is None else _decoded(deserialize, request)

    def _refuse_beyond(self, new_bytes: int) -> None:
        if self._held_bytes and self._held_bytes + new_bytes > self._max_bytes:
            raise QueueFull(
                f"requests of {self._held_bytes} bytes are being answered; at most {self._max_bytes} are taken on",
                HELD_RETRY_S,
                "memory",
            )

    @contextmanager
    def _held(self, taken_bytes: int) -> Iterator[None]:
        self._refuse_beyond(taken_bytes)
        self._held_bytes += taken_bytes
        try:
            yield
        finally:
            self._held_bytes -= taken_bytes


def _decoded(deserialize: Deserialize, request: bytes) -> Any:  # noqa: ANN401 - protobuf
    check_fields(request, deserialize.__self__.DESCRIPTOR)  # type: ignore[attr-defined]  # a class's method
    try:
        return deserialize(request)
    except DecodeError as error:
        raise InvalidRequest.at("request", f"cannot be decoded: {error}") from error
