"""A span of OpenTelemetry around every call, and its W3C Trace Context in the call's metadata.

Without OpenTelemetry's API (`pip install 'phonoscope[tracing]'`) there are none; who records them is for the program
that uses this client to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

try:
    from opentelemetry import propagate, trace

    HAS_API = True
except ImportError:
    HAS_API = False

SERVICE = "phonoscope.v1.ExplainerService"


@contextmanager
def call_span(method: str) -> Iterator[list[tuple[str, str]]]:
    """A span around one call; yields the metadata that tells the service of it.

    It is not made the current one: what a program does between two messages of a stream is no part of the call.

    Args:
        method: name of the RPC.
    """
    if not HAS_API:
        yield []
        return
    carrier: dict[str, str] = {}
    attributes = {"rpc.system": "grpc", "rpc.service": SERVICE, "rpc.method": method}
    tracer = trace.get_tracer("phonoscope")
    span = tracer.start_span(f"{SERVICE}/{method}", kind=trace.SpanKind.CLIENT, attributes=attributes)
    propagate.inject(carrier, trace.set_span_in_context(span))
    try:
        yield list(carrier.items())
    except Exception:
        span.set_status(trace.StatusCode.ERROR)
        raise
    finally:
        span.end()
