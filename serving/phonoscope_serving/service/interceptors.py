"""What happens around every call, outermost first.

It is authenticated and observed, its errors are given their status, its bytes are taken on, decoded and validated.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from phonoscope_serving.errors import InvalidRequest, QueueFull, Unauthenticated
from phonoscope_serving.metrics import Metrics
from phonoscope_serving.service.request_context import CURRENT, REQUEST_ID_KEY, request_context
from phonoscope_serving.service.security import HEALTH_PREFIX, Tokens
from phonoscope_serving.service.status import DETAILS_KEY, code_of, status_of
from phonoscope_serving.service.validation import violations

LOG = logging.getLogger("phonoscope.calls")
MEMORY_RETRY_S = 1.0  # about what the largest recording takes to be answered

Answer = Callable[[Any, Any], Awaitable[Any]]  # request, context → response
# Method, what comes next, and whether its answer is a stream → the same with something around it.
Around = Callable[[str, Answer, bool], Answer]


class CallInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # grpc ships no types
    """Puts layers around every call of the service; the streams of health and reflection are only asked for a token."""

    def __init__(self, layers: Sequence[Around], tokens: Tokens) -> None:
        """Layers are put around each method once.

        Args:
            layers: outermost first; the innermost is given the request's bytes.
            tokens: what callers must show.
        """
        self._layers, self._tokens = layers, tokens
        self._handlers: dict[str, tuple[Any, Any]] = {}  # method → its handler, and its refusal

    async def intercept_service(self, continuation: Any, call: Any) -> Any:  # noqa: ANN401 - grpc ships no types
        """See `grpc.aio.ServerInterceptor`; handlers are made once, since grpc asks anew for every call."""
        if call.method not in self._handlers:
            handler = await continuation(call)
            if handler is None:  # nobody serves it; remembering or counting it would let callers fill the memory
                return None
            refusal = self._around(call.method, _refuse, None, streams=handler.response_streaming)
            self._handlers[call.method] = self._layered(call.method, handler), refusal
        handler, refusal = self._handlers[call.method]
        admitted = call.method.startswith(HEALTH_PREFIX) or self._tokens.admit(call.invocation_metadata)
        return handler if admitted else refusal

    def _layered(self, method: str, handler: Any) -> Any:  # noqa: ANN401 - grpc ships no types
        streams = handler.response_streaming
        if handler.request_streaming or (streams and not inspect.isasyncgenfunction(handler.unary_stream)):
            return handler  # health's and reflection's own
        answer = _written(handler.unary_stream) if streams else handler.unary_unary
        decoding = _decoding(handler.request_deserializer, answer)
        return self._around(method, decoding, handler.response_serializer, streams=streams)

    def _around(self, method: str, answer: Answer, serialize: Any, *, streams: bool) -> Any:  # noqa: ANN401 - likewise
        for layer in reversed(self._layers):
            answer = layer(method, answer, streams)
        # Requests are decoded within: grpc would answer UNKNOWN, past every layer, to what it cannot decode.
        make = grpc.unary_stream_rpc_method_handler if streams else grpc.unary_unary_rpc_method_handler
        return make(answer, None, serialize)


async def _refuse(request: Any, context: Any) -> Any:  # noqa: ANN401, ARG001 - grpc ships no types
    raise Unauthenticated("a bearer token is required: send metadata 'authorization: Bearer TOKEN'")


def _written(stream: Callable[[Any, Any], AsyncGenerator[Any]]) -> Answer:
    """A stream's responses written one by one, so that streams end as other calls do: the layers see one awaitable."""

    async def answer(request: Any, context: Any) -> None:  # noqa: ANN401 - protobuf
        async with aclosing(stream(request, context)) as responses:
            async for response in responses:
                await context.write(response)

    return answer


def _decoding(deserialize: Callable[[bytes], Any], proceed: Answer) -> Answer:
    """Decodes and validates what the innermost layer passes on."""

    async def answer(request: bytes, context: Any) -> Any:  # noqa: ANN401 - grpc ships no types
        try:
            decoded = deserialize(request)
        except DecodeError as error:
            raise InvalidRequest.at("request", f"cannot be decoded: {error}") from error
        if found := violations(decoded):
            raise InvalidRequest(found)
        return await proceed(decoded, context)

    return answer


def interceptor(metrics: Metrics, bundle_name: str, tokens: Tokens, max_bytes: int) -> CallInterceptor:
    """Everything that happens around a call.

    Args:
        metrics: where calls are counted.
        bundle_name: named in every line of the log.
        tokens: what callers must show.
        max_bytes: of requests that are held at once.
    """
    observer = _Observer(metrics, bundle_name)
    return CallInterceptor((observer.around, translated, _Holder(max_bytes).around), tokens)


def translated(method: str, proceed: Answer, streams: bool) -> Answer:  # noqa: ARG001 - both kinds alike
    """Gives every error its gRPC status and google.rpc details."""

    async def answer(request: Any, context: Any) -> Any:  # noqa: ANN401 - protobuf
        try:
            return await proceed(request, context)
        except Exception as error:  # the boundary: whatever was raised becomes a status
            current = CURRENT.get()
            request_id = current.request_id if current else ""
            status = status_of(error, request_id)
            if code_of(error) is grpc.StatusCode.INTERNAL:
                LOG.error("%s failed", method, exc_info=error)
            trailing = ((REQUEST_ID_KEY, request_id), (DETAILS_KEY, status.SerializeToString()))
            await context.abort(code_of(error), status.message, trailing_metadata=trailing)

    return answer


class _Holder:
    """Takes on as many bytes of requests as may be held at once."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes, self._held_bytes = max_bytes, 0

    def around(self, method: str, proceed: Answer, streams: bool) -> Answer:  # noqa: ARG002 - all methods share the bound
        async def answer(request: bytes, context: Any) -> Any:  # noqa: ANN401 - protobuf
            if self._held_bytes and self._held_bytes + len(request) > self._max_bytes:
                raise QueueFull(
                    f"requests of {self._held_bytes} bytes are being answered; at most {self._max_bytes} are taken on",
                    MEMORY_RETRY_S,
                )
            self._held_bytes += len(request)
            try:
                return await proceed(request, context)
            finally:
                self._held_bytes -= len(request)

        return answer


class _Observer:
    """Names, counts, times and logs every call."""

    def __init__(self, metrics: Metrics, bundle_name: str) -> None:
        self._metrics, self._bundle_name = metrics, bundle_name

    def around(self, method: str, proceed: Answer, streams: bool) -> Answer:
        labels = ("server_stream" if streams else "unary", *method.split("/")[1:])
        started = self._metrics.calls_started.labels(*labels)
        handling_seconds = self._metrics.call_seconds.labels(*labels)

        async def answer(request: Any, context: Any) -> Any:  # noqa: ANN401 - protobuf
            current = request_context(dict(context.invocation_metadata() or ()))
            CURRENT.set(current)
            context.set_trailing_metadata(((REQUEST_ID_KEY, current.request_id),))
            started.inc()
            began_s = time.perf_counter()
            code = grpc.StatusCode.OK
            try:
                return await proceed(request, context)
            except (asyncio.CancelledError, grpc.aio.AbortError) as error:
                code = _code(error, context)
                raise
            finally:
                seconds = time.perf_counter() - began_s
                handling_seconds.observe(seconds)
                self._metrics.calls_handled.labels(*labels, code.name).inc()
                # Written once the answer is on its way; the caller need not wait for the log.
                asyncio.get_running_loop().call_soon(self._log, method, code, seconds, context.details())

        return answer

    def _log(self, method: str, code: grpc.StatusCode, seconds: float, details: str) -> None:
        if method.startswith(HEALTH_PREFIX):
            return
        fields = {"method": method, "code": code.name, "seconds": round(seconds, 6), "bundle": self._bundle_name}
        if code is not grpc.StatusCode.OK:
            fields["details"] = details
        LOG.info("call", extra=fields)


def _code(error: BaseException, context: Any) -> grpc.StatusCode:  # noqa: ANN401 - grpc ships no types
    """The status a call ended in that was aborted or cancelled."""
    if isinstance(error, asyncio.CancelledError):
        # grpc cancels a call whose deadline passed as it cancels one whose caller left.
        left_s = context.time_remaining()
        expired = left_s is not None and left_s <= 0
        return grpc.StatusCode.DEADLINE_EXCEEDED if expired else grpc.StatusCode.CANCELLED
    code = context.code()
    if isinstance(code, grpc.StatusCode):
        return code
    return next((known for known in grpc.StatusCode if known.value[0] == code), grpc.StatusCode.UNKNOWN)
