"""`ExplainTrack` over gRPC: its order, its limits, and what a call leaves behind."""

from __future__ import annotations

import threading

import grpc
import pytest
from phonoscope.v1 import track_pb2 as pb
from support.corpora.sound import music
from support.services.running import refusal, wait_until

PCM = pb.PcmStream(sample_rate_hz=22050)
METHOD = "/phonoscope.v1.ExplainerService/ExplainTrack"


def settings(**fields):
    return pb.ExplainTrackRequest(settings=pb.TrackSettings(**({"pcm": PCM} | fields)))


def chunk(content):
    return pb.ExplainTrackRequest(chunk=content)


def asked(service, *parts, timeout=600):
    return list(service.stub.ExplainTrack(iter(parts), timeout=timeout))


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ([], "settings"),
        ([chunk(b"1234")], "settings"),
        ([pb.ExplainTrackRequest()], "part"),
        ([settings(), settings()], "settings"),
        ([settings(), chunk(b"")], "chunk"),
        ([settings(), chunk(bytes(2**20 + 1))], "chunk"),
        ([settings()], "chunk"),
        ([settings(pcm=pb.PcmStream(sample_rate_hz=10))], "settings.pcm.sample_rate_hz"),
        ([pb.ExplainTrackRequest(settings=pb.TrackSettings())], "settings.sound"),
        ([settings(trust=9)], "settings.trust"),
        ([settings(moments=pb.TrackMoments(at_s=[0.0] * 1001))], "settings.moments.at_s"),
        ([settings(moments=pb.TrackMoments(every_s=0.01))], "settings.moments.every_s"),
        ([settings(from_s=-1)], "settings.from_s"),
        ([settings(rule="guess"), chunk(b"1234")], "rule"),
    ],
)
def test_what_is_wrong_is_said_by_name(service, parts, field):
    error = refusal(asked, service, *parts)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error.details().startswith(f"{field}:")


@pytest.mark.parametrize(("name", "given"), [("listener", "nobody"), ("label", "ballad"), ("contrast", "vocal")])
def test_what_a_listener_is_not_is_said_by_name(service, name, given):
    error = refusal(asked, service, settings(**{name: given}), chunk(b"1234"))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error.details().startswith(f"{name}:")


def test_a_call_is_counted_and_so_is_what_it_explains(service):
    before = service.count("phonoscope_track_seconds_total")
    events = asked(service, settings(moments=pb.TrackMoments(every_s=1)), chunk(music(3).tobytes()))
    assert [event.WhichOneof("event") for event in events] == ["begun", "curve", *["explanation"] * 3, "summary"]
    assert service.count("phonoscope_track_seconds_total") - before == pytest.approx(3, abs=0.1)
    wait_until(lambda: service.count("phonoscope_work_calls", kind="track") == 0)


def endless(stop):
    yield settings(moments=pb.TrackMoments(every_s=0.1))
    while not stop.is_set():
        yield chunk(music(1).tobytes())


def test_a_call_that_is_cancelled_leaves_nothing_behind(service):
    stop = threading.Event()
    call = service.stub.ExplainTrack(endless(stop), timeout=600)
    assert next(call).HasField("begun")
    assert service.count("phonoscope_work_calls", kind="track") == 1
    call.cancel()
    stop.set()
    wait_until(lambda: service.count("phonoscope_work_calls", kind="track") == 0)
    wait_until(lambda: service.count("phonoscope_queue_rows", model="evidence") == 0)


def test_a_deadline_ends_a_call_well(service):
    stop = threading.Event()
    events = list(service.stub.ExplainTrack(endless(stop), timeout=6))
    stop.set()
    summary = events[-1].summary
    assert not summary.complete
    # A busy machine may hear nothing by then: what is said to be heard is what the curve holds.
    curves = [event.curve for event in events if event.WhichOneof("event") == "curve"]
    assert summary.frames == sum(len(curve.probability) for curve in curves)
    assert (summary.heard_until_s > 0) == (summary.frames > 0)
    assert summary.seconds < 6


def test_others_have_their_turn_beside_a_track_that_does_not_end(service):
    stop = threading.Event()
    call = service.stub.ExplainTrack(endless(stop), timeout=600)
    next(call)
    reader = threading.Thread(target=lambda: [None for _ in _until_cancelled(call)])
    reader.start()
    assert len(asked(service, settings(), chunk(music(2).tobytes()))) == 3
    call.cancel()
    stop.set()
    reader.join()


def _until_cancelled(call):
    try:
        yield from call
    except grpc.RpcError as error:
        assert error.code() is grpc.StatusCode.CANCELLED  # noqa: PT017 - in a thread of its own
