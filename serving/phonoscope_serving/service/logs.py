"""Logs: one JSON object a line on stderr, each with the names of the call it was written for; never any audio."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

from pythonjsonlogger.json import JsonFormatter

from phonoscope_serving.service.request_context import CURRENT

FIELDS = ("asctime", "levelname", "name", "message")
RENAMED = {"asctime": "time", "levelname": "level", "name": "logger"}


class RequestFilter(logging.Filter):
    """Adds request id, trace id and span id to every record written during a call."""

    def filter(self, record: logging.LogRecord) -> bool:
        """See `logging.Filter`."""
        if current := CURRENT.get():
            record.request_id = current.request_id
            if current.trace_id:
                record.trace_id, record.span_id = current.trace_id, current.span_id
        return True


def log_json(level: str, stream: TextIO = sys.stderr) -> None:
    """Sends everything this process logs to a stream, one JSON object a line.

    Args:
        level: "debug", "info", "warning" or "error".
        stream: where to.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter(list(FIELDS), rename_fields=RENAMED, datefmt="%Y-%m-%dT%H:%M:%S%z"))
    handler.addFilter(RequestFilter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
