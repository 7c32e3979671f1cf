"""Lines that cannot be written are dropped, and counted, and nobody waits for them."""

import io
import json
import logging
import threading

from phonoscope_serving.service.logs import PatientHandler, log_json
from support.services.running import wait_until


class Blocked(io.StringIO):
    """A stream that takes nothing until it is let."""

    def __init__(self):
        super().__init__()
        self.open = threading.Event()

    def write(self, text):
        self.open.wait()
        return super().write(text)


def record(number):
    return logging.makeLogRecord({"msg": f"line {number}"})


def test_attack_a_blocked_stream_drops_lines_and_says_how_many_once_it_is_open():
    stream = Blocked()
    handler = PatientHandler(stream, most_waiting=5)
    for number in range(100):
        handler.emit(record(number))
    assert 94 <= handler.dropped <= 95  # one may be with the writer
    dropped = handler.dropped
    stream.open.set()
    handler.flush()
    lines = stream.getvalue().splitlines()
    assert lines[-1].startswith("line ")
    assert any("dropped" in line for line in lines)
    assert sum(line.startswith("line ") for line in lines) == 100 - dropped


def test_a_stream_that_fails_drops_lines_until_it_works_again():
    class Full(io.StringIO):
        is_full = True

        def write(self, text):
            if self.is_full:
                raise OSError(28, "No space left on device")
            return super().write(text)

    stream = Full()
    handler = PatientHandler(stream)
    handler.emit(record(0))
    wait_until(lambda: handler.dropped)
    stream.is_full = False
    handler.emit(record(1))
    handler.flush()
    assert stream.getvalue().splitlines()[-1] == "line 1"


def test_lines_are_json(monkeypatch):
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    try:
        handler = log_json("info", stream)
        logging.getLogger("phonoscope.test").info("told", extra={"number": 1})
        handler.flush()
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    (line,) = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (line["message"], line["number"], line["level"]) == ("told", 1, "INFO")
