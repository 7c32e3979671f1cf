"""Calls of a service's methods: each with a deadline, the token and a number of its own, its errors the client's."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Generator
from typing import Any, TypeVar

import grpc

from phonoscope_client import arguments
from phonoscope_client.errors import PhonoscopeError, UnavailableError, from_rpc_error, invalid
from phonoscope_client.transport.channel import reached
from phonoscope_client.transport.retries import Patience, RetryBudget, RetryOptions
from phonoscope_client.transport.tracing import call_span

Response = TypeVar("Response")


class Calls:
    """Makes the calls of one client, and tries again what may be.

    Args:
        channel: what they go through.
        timeout_s: seconds an answer may take, retries included.
        token: bearer token; None where the service asks for none.
        patience_s: seconds for which to go on where no service answers.

    Raises:
        InvalidInputError: an argument is of no use.
    """

    def __init__(self, channel: grpc.Channel, timeout_s: float, token: str | None, patience_s: float) -> None:
        self._channel = channel
        wanted = "a positive number of seconds"
        self._timeout_s = arguments.number("timeout_s", timeout_s, wanted)
        if self._timeout_s <= 0:
            raise invalid("timeout_s", f"{timeout_s:g}; give {wanted}")
        patience_s = arguments.number("patience_s", patience_s, "seconds, 0 or more")
        if patience_s < 0:
            raise invalid("patience_s", f"{patience_s:g}; give seconds, 0 or more")
        if token is not None and not (arguments.text("token", token, "text").isascii() and token.isprintable()):
            raise invalid("token", "it holds what cannot be sent; give printable ASCII")
        self._authorization = [("authorization", f"Bearer {token}")] if token else []
        self._retries = RetryOptions(patience_s)
        self._budget, self._closed = RetryBudget(self._retries), threading.Event()

    def answer(self, method: Callable[..., Response], request: object) -> Response:
        """What a method answers a request.

        Raises:
            PhonoscopeError: see `phonoscope_client.errors`.
        """
        request_id, patience = self._begin(request)
        with call_span(_name(request)) as context:
            self._reach(patience)
            while True:
                try:
                    return method(request, timeout=patience.left_s, metadata=[*self._metadata(request_id), *context])
                except grpc.RpcError as error:
                    failure = from_rpc_error(error, request_id=request_id)
                    if not self._may_try_again(patience, failure, begun=False):
                        raise failure from error

    def stream(self, method: Callable[..., Any], request: object) -> Generator[Any, None, None]:
        """What a method answers a request, message by message; whoever closes it early cancels the call.

        Raises:
            PhonoscopeError: see `phonoscope_client.errors`.
        """
        request_id, patience = self._begin(request)
        with call_span(_name(request)) as context:
            self._reach(patience)
            begun = False
            while True:
                call = method(request, timeout=patience.left_s, metadata=[*self._metadata(request_id), *context])
                try:
                    for message in call:
                        begun = True
                        yield message
                except grpc.RpcError as error:
                    failure = from_rpc_error(error, request_id=request_id)
                    if not self._may_try_again(patience, failure, begun=begun):
                        raise failure from error
                else:
                    return
                finally:
                    call.cancel()  # nothing happens where it has ended

    def close(self) -> None:
        """Has no call wait any longer for its next attempt."""
        self._closed.set()

    def _begin(self, request: object) -> tuple[str, Patience]:
        self._budget.earn()
        return uuid.uuid4().hex, Patience(_name(request), self._timeout_s, self._retries)

    def _reach(self, patience: Patience) -> None:
        """Waits, before what is asked only once, for somebody to answer it; where nobody does, the asking says why."""
        if patience.costly and patience.away_s():
            reached(self._channel, patience.away_s())

    def _may_try_again(self, patience: Patience, failure: PhonoscopeError, *, begun: bool) -> bool:
        """Waits until it is time for another attempt; whether there may be one."""
        wait_s = patience.wait_s(failure, begun=begun)
        if wait_s is None or self._closed.wait(wait_s):
            return False
        if isinstance(failure, UnavailableError) and not reached(self._channel, patience.away_s()):
            return False
        return self._budget.spend(patience.cost(failure))  # only now: waiting for a service costs it nothing

    def _metadata(self, request_id: str) -> list[tuple[str, str]]:
        return [*self._authorization, ("x-request-id", request_id)]


def _name(request: object) -> str:
    """The method that a request is for: the contract names one after the other."""
    return type(request).__name__.removesuffix("Request")
