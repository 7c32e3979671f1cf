"""Calls of a service's methods: each with a deadline, the token and a number of its own, its errors the client's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any, TypeVar

import grpc

from phonoscope_client.errors import PhonoscopeError, ServiceError, UnavailableError, from_rpc_error
from phonoscope_client.transport.channel import reached
from phonoscope_client.transport.terms import Attempts, Terms
from phonoscope_client.transport.tracing import call_span

Response = TypeVar("Response")


class Calls:
    """Makes the calls of one client, and tries again what may be.

    Args:
        channel: what they go through.
        terms: what they have in common.
    """

    def __init__(self, channel: grpc.Channel, terms: Terms) -> None:
        self._channel, self._terms = channel, terms
        self._closed = threading.Event()

    def answer(self, name: str, method: Callable[..., Response], request: object) -> Response:
        """What a method answers a request.

        Raises:
            PhonoscopeError: see `phonoscope_client.errors`.
        """
        attempts = self._terms.begin(name)
        with call_span(name) as context:
            self._reach(attempts)
            while True:
                try:
                    return method(request, timeout=attempts.timeout_s, metadata=[*attempts.metadata, *context])
                except grpc.RpcError as error:
                    failure = self._failure(error, attempts)
                    if not self._may_try_again(attempts, failure, begun=False):
                        raise failure from error

    def stream(
        self, name: str, method: Callable[..., Any], request: Callable[[], object], timeout_s: float | None = None
    ) -> Generator[Any, None, None]:
        """What a method answers, message by message; whoever closes it early cancels the call.

        Args:
            name: of the method.
            method: of a stub.
            request: makes what is sent, for each attempt anew: a message, or an iterator over messages.
            timeout_s: seconds it may take; None for the client's own.

        Raises:
            PhonoscopeError: see `phonoscope_client.errors`; what an iterator over messages raises.
        """
        attempts = self._terms.begin(name, timeout_s)
        with call_span(name) as context:
            self._reach(attempts)
            begun = False
            while True:
                sent = _Sent(request())
                call = method(sent.given, timeout=attempts.timeout_s, metadata=[*attempts.metadata, *context])
                try:
                    for message in call:
                        begun = True
                        yield message
                except grpc.RpcError as error:
                    if sent.error is not None:
                        raise sent.error from None
                    failure = self._failure(error, attempts)
                    if not self._may_try_again(attempts, failure, begun=begun):
                        raise failure from error
                else:
                    return
                finally:
                    call.cancel()  # nothing happens where it has ended

    def close(self) -> None:
        """Has no call wait any longer for its next attempt."""
        self._closed.set()

    def _failure(self, error: grpc.RpcError, attempts: Attempts) -> PhonoscopeError:
        """What a call ended with; where another thread closed the client, that, and no fault of the service."""
        if self._closed.is_set():
            return ServiceError("the client was closed before the answer was whole", request_id=attempts.request_id)
        return from_rpc_error(error, request_id=attempts.request_id)

    def _reach(self, attempts: Attempts) -> None:
        """Waits, before what is asked only once, for somebody to answer it; where nobody does, the asking says why."""
        if attempts.patience.costly and attempts.patience.away_s():
            reached(self._channel, attempts.patience.away_s())

    def _may_try_again(self, attempts: Attempts, failure: PhonoscopeError, *, begun: bool) -> bool:
        """Waits until it is time for another attempt; whether there may be one."""
        wait_s = attempts.patience.wait_s(failure, begun=begun)
        if wait_s is None or self._closed.wait(wait_s):
            return False
        if isinstance(failure, UnavailableError) and not reached(self._channel, attempts.patience.away_s()):
            return False
        return attempts.may_be_paid(failure)  # only now: waiting for a service costs it nothing


class _Sent:
    """What is sent; of an iterator, which gRPC asks in a thread of its own, also what it raised there."""

    def __init__(self, request: object) -> None:
        self.error: Exception | None = None
        self.given = self._watched(request) if isinstance(request, Iterator) else request

    def _watched(self, messages: Iterable[object]) -> Iterator[object]:
        try:
            yield from messages
        except Exception as error:
            self.error = error
            raise
