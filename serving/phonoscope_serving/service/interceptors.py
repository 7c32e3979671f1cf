"""What happens around every call, outermost first.

It is authenticated and observed, its errors are given their status, its requests are received and validated.
"""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any

import grpc

from phonoscope_serving.admission.admission import Admission
from phonoscope_serving.admission.work import WORK, Kind
from phonoscope_serving.errors import Unauthenticated
from phonoscope_serving.metrics import Metrics
from phonoscope_serving.service.arriving.caller import caller
from phonoscope_serving.service.arriving.receiving import Answer, Receiver
from phonoscope_serving.service.arriving.refusals import Refusals
from phonoscope_serving.service.arriving.weight import KINDS as WORK_KINDS
from phonoscope_serving.service.arriving.weight import weight
from phonoscope_serving.service.request_context import (
    BUNDLE,
    CURRENT,
    FAILURE,
    REQUEST_ID_KEY,
    current,
    deadline,
    request_context,
)
from phonoscope_serving.service.security import HEALTH_PREFIX, Tokens
from phonoscope_serving.service.spans import spanned
from phonoscope_serving.service.status import DETAILS_KEY, code_of, log_defect, logged, status_of

LOG = logging.getLogger("phonoscope.calls")

# Method, what comes next, and which of `KINDS` → the same with something around it.
Around = Callable[[str, Answer, str], Answer]
Stream = Callable[[Any, Any], AsyncGenerator[Any]]  # messages, context → responses
KINDS = {(False, False): "unary", (False, True): "server_stream", (True, True): "bidi_stream"}  # requests, responses


class CallInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # grpc ships no types
    """Puts layers around every call, and receives what it sends."""

    def __init__(self, layers: Sequence[Around], tokens: Tokens, receiver: Receiver, admission: Admission) -> None:
        """Layers are put around each method once.

        Args:
            layers: outermost first; they are given the stream of a call's requests, undecoded.
            tokens: what callers must show.
            receiver: of those requests.
            admission: of the work they ask for.
        """
        self._layers, self._tokens, self._receiver, self._admission = layers, tokens, receiver, admission
        self._handlers: dict[str, tuple[Any, Any]] = {}  # method → its handler, and its refusal

    async def intercept_service(self, continuation: Any, call: Any) -> Any:  # noqa: ANN401 - grpc ships no types
        """See `grpc.aio.ServerInterceptor`; handlers are made once, since grpc asks anew for every call."""
        if call.method not in self._handlers:
            handler = await continuation(call)
            if handler is None:  # nobody serves it; remembering or counting it would let callers fill the memory
                return None
            self._handlers[call.method] = self._layered(call.method, handler)
        handler, refusal = self._handlers[call.method]
        admitted = call.method.startswith(HEALTH_PREFIX) or self._tokens.admit(call.invocation_metadata)
        return handler if admitted else refusal

    def _layered(self, method: str, handler: Any) -> tuple[Any, Any]:  # noqa: ANN401 - grpc ships no types
        kind = KINDS[handler.request_streaming, handler.response_streaming]
        if kind == "bidi_stream":
            stream = handler.stream_stream
            if method in WORK_KINDS:
                stream = self._weighed_first(stream)
            answer = self._receiver.each(handler.request_deserializer, stream)
        else:
            proceed = handler.unary_unary if kind == "unary" else _written(handler.unary_stream)
            if method in WORK_KINDS:
                proceed = self._weighed(proceed)
            answer = self._receiver.one(handler.request_deserializer, proceed)
        if method in WORK_KINDS:
            answer = self._admitted(WORK_KINDS[method], answer)
        return self._around(method, answer, kind, handler.response_serializer), self._around(method, _refuse, kind)

    def _admitted(self, kind: Kind, proceed: Answer) -> Answer:
        """Refuses, before a request is sent, what there is no room for."""

        async def answer(requests: Any, context: Any) -> Any:  # noqa: ANN401 - grpc ships no types
            by = None if kind.is_partial else deadline(context)
            with self._admission.admitted(kind, current().caller, by) as work:
                WORK.set(work)
                return await proceed(requests, context)

        return answer

    def _weighed(self, proceed: Answer) -> Answer:
        """Refuses, before it costs the engine anything, what is too much once it is known."""

        async def answer(request: Any, context: Any) -> Any:  # noqa: ANN401 - protobuf
            self._admission.weigh(WORK.get(), *weight(request), deadline(context))
            return await proceed(request, context)

        return answer

    def _weighed_first(self, stream: Stream) -> Stream:
        """Looks again at what is asked, by the first of a call's messages."""

        async def answer(messages: Any, context: Any) -> AsyncGenerator[Any]:  # noqa: ANN401 - grpc ships no types
            async def weighed() -> AsyncGenerator[Any]:
                weigh = True
                async for message in messages:
                    if weigh:
                        self._admission.weigh(WORK.get(), *weight(message), None)
                    weigh = False
                    yield message

            async with aclosing(weighed()) as known, aclosing(stream(known, context)) as responses:
                async for response in responses:
                    yield response

        return answer

    def _around(self, method: str, answer: Answer, kind: str, serialize: Any = None) -> Any:  # noqa: ANN401 - likewise
        for layer in reversed(self._layers):
            answer = layer(method, answer, kind)
        # To grpc every request is a stream of bytes: a single message it would receive before any layer is asked, and
        # answer UNKNOWN, past every layer, to what it cannot decode.
        unary = kind == "unary"
        make = grpc.stream_unary_rpc_method_handler if unary else grpc.stream_stream_rpc_method_handler
        return make(answer, None, serialize)


async def _refuse(requests: Any, context: Any) -> Any:  # noqa: ANN401, ARG001 - grpc ships no types
    raise Unauthenticated("a bearer token is required: send metadata 'authorization: Bearer TOKEN'")


def _written(stream: Callable[[Any, Any], AsyncGenerator[Any]]) -> Answer:
    """A stream's responses written one by one, so that streams end as other calls do: the layers see one awaitable."""

    async def answer(request: Any, context: Any) -> None:  # noqa: ANN401 - protobuf
        async with aclosing(stream(request, context)) as responses:
            async for response in responses:
                await context.write(response)

    return answer


def interceptor(metrics: Metrics, tokens: Tokens, receiver: Receiver, admission: Admission) -> CallInterceptor:
    """Everything that happens around a call.

    Args:
        metrics: where calls are counted.
        tokens: what callers must show.
        receiver: of what they send.
        admission: of the work they ask for.
    """
    layers = (spanned, _Observer(metrics, tokens).around, translated)
    return CallInterceptor(layers, tokens, receiver, admission)


def translated(method: str, proceed: Answer, kind: str) -> Answer:  # noqa: ARG001 - all kinds alike
    """Gives every error its gRPC status and google.rpc details."""

    async def answer(requests: Any, context: Any) -> Any:  # noqa: ANN401 - grpc ships no types
        try:
            return await proceed(requests, context)
        except grpc.aio.AbortError:
            raise
        except Exception as error:  # noqa: BLE001 - the boundary: whatever was raised becomes a status
            code, request_id = code_of(error), current().request_id
            if code is grpc.StatusCode.INTERNAL:
                log_defect(LOG, method, error)
            status = status_of(error, request_id)
            FAILURE.set(logged(error))
            _let_go(error)
        # Raised within the block above, the abort would keep the error, and with it the request, as its context.
        trailing = ((REQUEST_ID_KEY, request_id), (DETAILS_KEY, status.SerializeToString()))
        return await context.abort(code, status.message, trailing_metadata=trailing)

    return answer


def _let_go(error: BaseException | None) -> None:
    """Empties the frames an error came through: in a ring of references they would keep a request until it is found."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


class _Observer:
    """Names, counts, times and logs every call."""

    def __init__(self, metrics: Metrics, tokens: Tokens) -> None:
        self._metrics, self._tokens, self._refusals = metrics, tokens, Refusals()

    def around(self, method: str, proceed: Answer, kind: str) -> Answer:
        labels = (kind, *method.split("/")[1:])
        started = self._metrics.calls_started.labels(*labels)
        handling_seconds = self._metrics.call_seconds.labels(*labels)

        async def answer(requests: Any, context: Any) -> Any:  # noqa: ANN401 - grpc ships no types
            known = request_context(dict(context.invocation_metadata() or ()), caller(context, self._tokens))
            CURRENT.set(known)
            context.set_trailing_metadata(((REQUEST_ID_KEY, known.request_id),))
            started.inc()
            began_s = time.perf_counter()
            code = grpc.StatusCode.OK
            try:
                return await proceed(requests, context)
            except (asyncio.CancelledError, grpc.aio.AbortError) as error:
                code = _code(error, context)
                raise
            finally:
                seconds = time.perf_counter() - began_s
                handling_seconds.observe(seconds, {"trace_id": known.trace_id} if known.trace_id else None)
                self._metrics.calls_handled.labels(*labels, code.name).inc()
                # Written once the answer is on its way; the caller need not wait for the log.
                asyncio.get_running_loop().call_soon(self._log, method, code, seconds, context.details())

        return answer

    def _log(self, method: str, code: grpc.StatusCode, seconds: float, details: str) -> None:
        if method.startswith(HEALTH_PREFIX):
            return
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            self._refusals.add(method, details)
            return
        fields = {"method": method, "code": code.name, "seconds": round(seconds, 6)}
        fields |= {"bundle": BUNDLE.get()} if BUNDLE.get() else {}
        if code is not grpc.StatusCode.OK:
            fields["details"] = FAILURE.get()
            LOG.debug("call failed", extra={"details": details})  # which may quote its caller
        LOG.info("call", extra=fields)


def _code(error: BaseException, context: Any) -> grpc.StatusCode:  # noqa: ANN401 - grpc ships no types
    """The status a call ended in that was aborted or cancelled."""
    if isinstance(error, asyncio.CancelledError):
        # grpc cancels a call whose deadline passed as it cancels one whose caller left.
        left_s = context.time_remaining()
        expired = left_s is not None and left_s <= 0
        return grpc.StatusCode.DEADLINE_EXCEEDED if expired else grpc.StatusCode.CANCELLED
    code = context.code()  # a status, or its number
    return next((known for known in grpc.StatusCode if code in (known, known.value[0])), grpc.StatusCode.UNKNOWN)
