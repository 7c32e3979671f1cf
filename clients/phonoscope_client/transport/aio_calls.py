"""The same calls for asyncio: nothing waits but the task that asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from typing import Any

import grpc

from phonoscope_client.errors import PhonoscopeError, UnavailableError, from_rpc_error
from phonoscope_client.transport.channel import HEALTH, NOBODY
from phonoscope_client.transport.terms import Attempts, Terms
from phonoscope_client.transport.tracing import call_span


class AioCalls:
    """Makes the calls of one client, and tries again what may be.

    Args:
        channel: what they go through.
        terms: what they have in common.
    """

    def __init__(self, channel: grpc.aio.Channel, terms: Terms) -> None:
        self._channel, self._terms = channel, terms

    async def answer(self, name: str, method: Callable[..., Any], request: object) -> Any:  # noqa: ANN401 - protobuf
        """See `Calls.answer`."""
        attempts = self._terms.begin(name)
        with call_span(name) as context:
            await self._reach(attempts)
            while True:
                try:
                    return await method(request, timeout=attempts.timeout_s, metadata=[*attempts.metadata, *context])
                except grpc.RpcError as error:
                    failure = from_rpc_error(error, request_id=attempts.request_id)
                    if not await self._may_try_again(attempts, failure, begun=False):
                        raise failure from error

    async def stream(
        self, name: str, method: Callable[..., Any], request: Callable[[], object], timeout_s: float | None = None
    ) -> AsyncGenerator[Any]:
        """See `Calls.stream`; an iterator over messages is asked in threads, for it may read files."""
        attempts = self._terms.begin(name, timeout_s)
        with call_span(name) as context:
            await self._reach(attempts)
            begun = False
            while True:
                sent = _Sent(request())
                call = method(sent.given, timeout=attempts.timeout_s, metadata=[*attempts.metadata, *context])
                try:
                    async for message in call:
                        begun = True
                        yield message
                except (grpc.RpcError, asyncio.CancelledError) as error:
                    if sent.error is not None:
                        raise sent.error from None
                    if not isinstance(error, grpc.RpcError):
                        raise
                    failure = from_rpc_error(error, request_id=attempts.request_id)
                    if not await self._may_try_again(attempts, failure, begun=begun):
                        raise failure from error
                else:
                    return
                finally:
                    call.cancel()  # nothing happens where it has ended

    async def _reach(self, attempts: Attempts) -> None:
        if attempts.patience.costly and attempts.patience.away_s():
            await self._reached(attempts.patience.away_s())

    async def _reached(self, timeout_s: float) -> bool:
        """See `channel.reached`."""
        try:
            await self._channel.unary_unary(HEALTH)(b"", timeout=timeout_s, wait_for_ready=True)
        except grpc.RpcError as error:
            return error.code() not in NOBODY
        return True

    async def _may_try_again(self, attempts: Attempts, failure: PhonoscopeError, *, begun: bool) -> bool:
        wait_s = attempts.patience.wait_s(failure, begun=begun)
        if wait_s is None:
            return False
        await asyncio.sleep(wait_s)
        if isinstance(failure, UnavailableError) and not await self._reached(attempts.patience.away_s()):
            return False
        return attempts.may_be_paid(failure)


class _Sent:
    """What is sent; of an iterator, also what it raised, which gRPC takes for the caller's leaving."""

    def __init__(self, request: object) -> None:
        self.error: Exception | None = None
        self.given = self._watched(request) if isinstance(request, Iterator) else request

    async def _watched(self, messages: Iterator[object]) -> AsyncIterator[object]:
        try:
            while (message := await asyncio.to_thread(next, messages, None)) is not None:
                yield message
        except Exception as error:
            self.error = error
            raise
