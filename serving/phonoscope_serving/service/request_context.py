"""What is known of the call being answered, to everything that runs on its behalf."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from phonoscope_serving import tracing

REQUEST_ID_KEY = "x-request-id"
ACCEPTED_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")  # printable, so that it cannot forge a line of a log
TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")  # W3C Trace Context, level 1


@dataclass(frozen=True)
class RequestContext:
    """One call's names."""

    request_id: str  # the caller's own, or one made here
    trace_id: str | None  # of this service's own span, or else of the caller's W3C traceparent, where there is one
    span_id: str | None
    caller: str = ""  # whose turn it takes; see `arriving/caller.py`


CURRENT: ContextVar[RequestContext | None] = ContextVar("phonoscope_request", default=None)

# Name of the bundle that answers the call; empty until one was asked.
BUNDLE: ContextVar[str] = ContextVar("phonoscope_bundle", default="")

# What the log says of how the call failed; see `status.logged`.
FAILURE: ContextVar[str] = ContextVar("phonoscope_failure", default="")


def current() -> RequestContext:
    """The call that is being answered; only during one."""
    context = CURRENT.get()
    assert context is not None
    return context


def request_context(metadata: Mapping[str, str | bytes], caller: str) -> RequestContext:
    """Reads a call's names from its metadata; what is malformed is as if it were absent.

    Args:
        metadata: of the call.
        caller: who makes it.
    """
    request_id = metadata.get(REQUEST_ID_KEY)
    accepted = isinstance(request_id, str) and ACCEPTED_REQUEST_ID.fullmatch(request_id)
    parent = TRACEPARENT.fullmatch(str(metadata.get("traceparent", "")))
    trace_id, span_id = tracing.ids() or ((parent[1], parent[2]) if parent else (None, None))
    return RequestContext(
        request_id=str(request_id) if accepted else uuid.uuid4().hex,
        trace_id=trace_id,
        span_id=span_id,
        caller=caller,
    )


def deadline(context: Any) -> float | None:  # noqa: ANN401 - grpc ships no types
    """When a call's caller stops waiting, on the event loop's clock, in seconds; None waits for ever."""
    remaining_s = context.time_remaining()
    return None if remaining_s is None else asyncio.get_running_loop().time() + remaining_s
