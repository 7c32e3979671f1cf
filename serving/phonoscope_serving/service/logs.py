"""Logs: one JSON object a line on stderr, each with the names of the call it was written for; never any audio."""

from __future__ import annotations

import logging
import queue
import sys
import threading
from typing import TextIO

from pythonjsonlogger.json import JsonFormatter

from phonoscope_serving.service.request_context import CURRENT

FIELDS = ("asctime", "levelname", "name", "message")
RENAMED = {"asctime": "time", "levelname": "level", "name": "logger"}
MOST_WAITING = 10_000  # lines
LAST_S = 2.0  # for lines that wait when the process ends


class RequestFilter(logging.Filter):
    """Adds request id, trace id and span id to every record written during a call."""

    def filter(self, record: logging.LogRecord) -> bool:
        """See `logging.Filter`."""
        if current := CURRENT.get():
            record.request_id = current.request_id
            if current.trace_id:
                record.trace_id, record.span_id = current.trace_id, current.span_id
        return True


class PatientHandler(logging.Handler):
    """Writes lines in a thread of its own: nobody waits for a blocked stream, and what is too much is dropped."""

    def __init__(self, stream: TextIO, most_waiting: int = MOST_WAITING) -> None:
        """Starts its thread.

        Args:
            stream: where lines go.
            most_waiting: lines; more are dropped and counted.
        """
        super().__init__()
        self.dropped = 0  # lines, so far
        self._stream, self._lines = stream, queue.Queue[str](most_waiting)
        threading.Thread(target=self._write, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        try:
            self._lines.put_nowait(self.format(record))
        except queue.Full:
            self.dropped += 1

    def flush(self) -> None:
        """Waits for lines that were not written yet, but not for long."""
        with self._lines.all_tasks_done:
            self._lines.all_tasks_done.wait_for(lambda: not self._lines.unfinished_tasks, LAST_S)

    def _write(self) -> None:
        told = 0
        while True:
            line = self._lines.get()
            try:
                if self.dropped > told:
                    told = self.dropped
                    self._stream.write(self.format(_dropped(told)) + "\n")
                self._stream.write(line + "\n")
                self._stream.flush()
            except (OSError, ValueError):  # the disk is full, the pipe or the stream closed: later lines may fit again
                self.dropped += 1
            finally:
                self._lines.task_done()


def log_json(level: str, stream: TextIO = sys.stderr) -> PatientHandler:
    """Sends everything this process logs to a stream, one JSON object a line.

    Args:
        level: "debug", "info", "warning" or "error".
        stream: where to.
    """
    handler = PatientHandler(stream)
    handler.setFormatter(JsonFormatter(list(FIELDS), rename_fields=RENAMED, datefmt="%Y-%m-%dT%H:%M:%S%z"))
    handler.addFilter(RequestFilter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    return handler


def _dropped(lines: int) -> logging.LogRecord:
    fields = {"name": "phonoscope.log", "levelname": "WARNING", "levelno": logging.WARNING, "lines": lines}
    return logging.makeLogRecord(fields | {"msg": "lines were dropped, in all"})
