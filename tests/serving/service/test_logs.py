"""Lines that cannot be written are dropped, and counted, and nobody waits for them."""

import io
import json
import logging
import re
import threading

import pytest
from phonoscope.v1 import auralisation_pb2, explanation_pb2, inversion_pb2, maximisation_pb2, prediction_pb2, track_pb2
from phonoscope_serving.errors import EngineFailed, NotInBundle
from phonoscope_serving.service.logs import PatientHandler, log_json
from phonoscope_serving.service.status import log_defect, logged
from support.corpora.sound import file, music, pcm
from support.services.running import refusal, wait_until


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


OWN = "Ms Smith's unreleased song"
SOUND = pcm(music(2))
QUOTING = {
    "a rule": ("Explain", explanation_pb2.ExplainRequest(audio=SOUND, at_s=1, rule=OWN), "rule"),
    "a label": ("Explain", explanation_pb2.ExplainRequest(audio=SOUND, at_s=1, label=OWN), "label"),
    "a listener": ("Predict", prediction_pb2.PredictRequest(audio=SOUND, listener=OWN), "listener"),
    "sound": ("Predict", prediction_pb2.PredictRequest(audio=file(OWN.encode() * 99)), "audio.encoded"),
    "a moment": ("Explain", explanation_pb2.ExplainRequest(audio=SOUND, at_s=99), "at_s"),
    "layers": ("InvertLayers", inversion_pb2.InvertLayersRequest(audio=SOUND, layers=[OWN]), "layers[0]"),
    "a layer": ("Auralise", auralisation_pb2.AuraliseRequest(audio=SOUND, layer=OWN, features=[1]), "layer"),
    "a unit": (
        "Maximise",
        maximisation_pb2.MaximiseRequest(terms=[maximisation_pb2.ResponseTerm(layer=OWN, weight=1)]),
        "terms[0].layer",
    ),
    "a track": (
        "ExplainTrack",
        iter([track_pb2.ExplainTrackRequest(settings=track_pb2.TrackSettings(listener=OWN, pcm={}))]),
        "settings.pcm.sample_rate_hz",
    ),
}


@pytest.mark.parametrize(("method", "request_", "field"), QUOTING.values(), ids=QUOTING.keys())
def test_what_callers_wrote_is_in_no_line_above_debug(service, caplog, method, request_, field):
    def lines(level):
        return [vars(record) for record in caplog.records if record.levelno >= level]

    with caplog.at_level(logging.DEBUG, "phonoscope"):
        error = refusal(lambda: list(getattr(service.stub, method)(request_)))  # some answer with a stream
        wait_until(lambda: any(line["message"] == "call" for line in lines(logging.INFO)))
    (call,) = [line for line in lines(logging.INFO) if line["message"] == "call"]
    assert call["details"] == field
    assert OWN[:20] not in str(lines(logging.INFO))
    assert error.details() in [line.get("details") for line in lines(logging.DEBUG)]


def test_a_defect_is_told_by_place_and_kind_and_only_at_debug_in_its_own_words(caplog):
    def fail():
        try:
            float(OWN)
        except ValueError as error:
            raise EngineFailed("the graph could not be run") from error

    with caplog.at_level(logging.DEBUG), pytest.raises(EngineFailed) as failed:
        fail()
    with caplog.at_level(logging.DEBUG):
        log_defect(logging.getLogger("phonoscope.calls"), "/Explain", failed.value)
    error, debug = caplog.records
    assert (error.levelname, debug.levelname) == ("ERROR", "DEBUG")
    assert re.search(
        r"line \d+, in fail\n.*float\(OWN\).*\nValueError\n.*\nEngineFailed: the graph could", error.raised, re.S
    )
    assert OWN not in str(vars(error))
    assert OWN in logging.Formatter().format(debug)


def test_what_the_bundle_lacks_is_not_told_in_the_words_of_who_asked():
    assert logged(NotInBundle(f"label: is {OWN!r}")) == ""
