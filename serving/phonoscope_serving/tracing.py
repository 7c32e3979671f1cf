"""Spans of OpenTelemetry around what takes time, and W3C Trace Context passed on.

Without OpenTelemetry's API nothing is done here; with it alone, a caller's context is passed on; spans are recorded
where a provider is set, as `service/spans.py` does. (`opentelemetry-instrumentation-grpc` cannot be used: it supposes
that handlers are asked for by the code that runs them, and `grpc.aio` keeps those of this service.)
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

try:
    from opentelemetry import context, propagate, trace

    HAS_API = True
except ImportError:  # the extra `tracing` is not installed
    HAS_API = False

Kind = Literal["internal", "server", "client"]
Attribute = str | int | float | bool

TRACER = "phonoscope"


@dataclass(frozen=True)
class Moment:
    """When something was asked for, and within which span."""

    time_ns: int
    within: context.Context | None


def now() -> Moment:
    """This moment, within the span that is current."""
    return Moment(time.time_ns(), context.get_current() if HAS_API else None)


@contextmanager
def span(
    name: str, kind: Kind = "internal", carrier: Mapping[str, str] | None = None, **attributes: Attribute
) -> Iterator[None]:
    """A span around a block.

    Args:
        name: what is done; from a closed set.
        kind: on which side of a call it is.
        carrier: a caller's headers, whose context the span continues; None: it is part of the current span.
        attributes: what there is to say of it; a double underscore stands for a dot.
    """
    if not HAS_API:
        yield
        return
    begun = trace.get_tracer(TRACER).start_as_current_span(
        name,
        context=None if carrier is None else propagate.extract(carrier),
        kind=trace.SpanKind[kind.upper()],
        attributes=_named(attributes),
        record_exception=False,  # messages may quote what callers sent
    )
    with begun:
        yield


def tell(**attributes: Attribute) -> None:
    """Says more of the current span; names as for `span`."""
    if HAS_API:
        trace.get_current_span().set_attributes(_named(attributes))


def past(name: str, asked: Moment, began_ns: int, ended_ns: int, **attributes: Attribute) -> None:
    """A span of something that is over, within the one in which it was asked for; arguments as for `span`."""
    if HAS_API:
        tracer = trace.get_tracer(TRACER)
        over = tracer.start_span(name, asked.within, attributes=_named(attributes), start_time=began_ns)
        over.end(ended_ns)


def headers() -> dict[str, str]:
    """What tells another server within which span it is asked; empty outside every span."""
    carrier: dict[str, str] = {}
    if HAS_API:
        propagate.inject(carrier)
    return carrier


def ids() -> tuple[str, str] | None:
    """Trace id and span id of the current span, in hexadecimal; None outside every span."""
    if not HAS_API:
        return None
    current = trace.get_current_span().get_span_context()
    return (format(current.trace_id, "032x"), format(current.span_id, "016x")) if current.is_valid else None


def _named(attributes: Mapping[str, Attribute]) -> dict[str, Attribute]:
    return {name.replace("__", "."): value for name, value in attributes.items()}
