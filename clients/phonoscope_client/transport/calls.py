"""Calls of a service's methods: each with a deadline, the token and a number of its own, its errors the client's."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator
from typing import Any, TypeVar

import grpc

from phonoscope_client import arguments
from phonoscope_client.errors import from_rpc_error, invalid
from phonoscope_client.transport.tracing import call_span

Response = TypeVar("Response")


class Calls:
    """Makes the calls of one client.

    Args:
        timeout_s: seconds an answer may take, retries included.
        token: bearer token; None where the service asks for none.

    Raises:
        InvalidInputError: an argument is of no use.
    """

    def __init__(self, timeout_s: float, token: str | None) -> None:
        wanted = "a positive number of seconds"
        self._timeout_s = arguments.number("timeout_s", timeout_s, wanted)
        if self._timeout_s <= 0:
            raise invalid("timeout_s", f"{timeout_s:g}; give {wanted}")
        if token is not None and not (arguments.text("token", token, "text").isascii() and token.isprintable()):
            raise invalid("token", "it holds what cannot be sent; give printable ASCII")
        self._authorization = [("authorization", f"Bearer {token}")] if token else []

    def answer(self, method: Callable[..., Response], request: object) -> Response:
        """What a method answers a request.

        Raises:
            PhonoscopeError: see `phonoscope_client.errors`.
        """
        request_id = uuid.uuid4().hex
        try:
            with call_span(_name(request)) as context:
                return method(request, timeout=self._timeout_s, metadata=[*self._metadata(request_id), *context])
        except grpc.RpcError as error:
            raise from_rpc_error(error, request_id=request_id) from error

    def stream(self, method: Callable[..., Any], request: object) -> Generator[Any, None, None]:
        """What a method answers a request, message by message; whoever closes it early cancels the call.

        Raises:
            PhonoscopeError: see `phonoscope_client.errors`.
        """
        request_id = uuid.uuid4().hex
        with call_span(_name(request)) as context:
            call = method(request, timeout=self._timeout_s, metadata=[*self._metadata(request_id), *context])
            try:
                yield from call
            except grpc.RpcError as error:
                raise from_rpc_error(error, request_id=request_id) from error
            finally:
                call.cancel()  # nothing happens where it has ended

    def _metadata(self, request_id: str) -> list[tuple[str, str]]:
        return [*self._authorization, ("x-request-id", request_id)]


def _name(request: object) -> str:
    """The method that a request is for: the contract names one after the other."""
    return type(request).__name__.removesuffix("Request")
