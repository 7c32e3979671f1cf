"""Where spans are made and sent: one around every call, within its caller's, and all of them to a collector."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import grpc

from phonoscope_serving import tracing
from phonoscope_serving.errors import OptionsError
from phonoscope_serving.service.arriving.receiving import Answer
from phonoscope_serving.service.security import HEALTH_PREFIX


def spanned(method: str, proceed: Answer, kind: str) -> Answer:  # noqa: ARG001 - all kinds alike
    """A span around every call but probes, which are too many to follow."""
    if method.startswith(HEALTH_PREFIX):
        return proceed
    service, name = method.split("/")[1:]

    async def answer(requests: Any, context: Any) -> Any:  # noqa: ANN401 - grpc ships no types
        carrier = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        attributes = {"rpc__system": "grpc", "rpc__service": service, "rpc__method": name}
        with tracing.span(method[1:], "server", carrier, **attributes):
            code = grpc.StatusCode.OK.value[0]
            try:
                return await proceed(requests, context)
            except asyncio.CancelledError:
                code = grpc.StatusCode.CANCELLED.value[0]
                raise
            except grpc.aio.AbortError:
                code = context.code()
                raise
            finally:
                tracing.tell(rpc__grpc__status_code=code if isinstance(code, int) else code.value[0])

    return answer


def send_spans(collector: str) -> Callable[[], None]:
    """Has spans recorded from now on, and sent over OTLP.

    Args:
        collector: URL of its gRPC, such as "http://127.0.0.1:4317"; with "https", what OTEL_EXPORTER_OTLP_CERTIFICATE
            and its like name is used.

    Returns:
        What sends the last of them, and stops.

    Raises:
        OptionsError: OpenTelemetry is not installed.
    """
    try:
        from opentelemetry import trace  # noqa: PLC0415 - an extra
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        raise OptionsError("traces: OpenTelemetry is not installed; pip install 'phonoscope[tracing]'") from error
    named = Resource.create({"service.name": "phonoscope", "service.version": version("phonoscope")})
    provider = TracerProvider(resource=named)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(collector)))
    trace.set_tracer_provider(provider)
    return provider.shutdown
