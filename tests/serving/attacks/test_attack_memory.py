"""What little a caller sends must not take much room here, nor for long."""

import tracemalloc

import grpc
import pytest
from phonoscope.v1 import auralisation_pb2, explanation_pb2, maximisation_pb2, prediction_pb2
from phonoscope_serving.errors import InvalidRequest
from phonoscope_serving.service.arriving.receiving import RECEIVED_AT_ONCE
from phonoscope_serving.service.arriving.wire_format import MOST_BYTES, MOST_FIELDS, check_fields
from support.corpora.sound import file, music, pcm
from support.services.attacked import MIB, attacked
from support.services.half_sent import HalfSentCall
from support.services.running import refusal, violated

SOUND = pcm(music(2))


@pytest.fixture(scope="module")
def service(tmp_path_factory, repository):
    with attacked(tmp_path_factory.mktemp("memory"), repository) as service:
        service.stub.Explain(explanation_pb2.ExplainRequest(audio=SOUND, at_s=1))
        yield service


SOUND_REQUESTS = {
    "explain": explanation_pb2.ExplainRequest(audio=SOUND, at_s=1.5, rule="masker", listen=True),
    "file": prediction_pb2.PredictRequest(audio=file(bytes(9 * MIB))),
    "features": auralisation_pb2.AuraliseRequest(audio=SOUND, layer="conv1", features=range(64)),
    "terms": maximisation_pb2.MaximiseRequest(
        terms=[maximisation_pb2.ResponseTerm(layer="conv1", channel=number, weight=1) for number in range(64)]
    ),
}


@pytest.mark.parametrize("request_", SOUND_REQUESTS.values(), ids=SOUND_REQUESTS.keys())
def test_attack_checks_let_every_sound_request_pass(request_):
    check_fields(request_.SerializeToString(), request_.DESCRIPTOR)


UNSOUND = {
    "terms of nothing": (b"\x0a\x00" * (16 * MIB), maximisation_pb2.MaximiseRequest, "request"),
    "sound of nothing": (b"\x0a\x02\x12\x00" * MIB, explanation_pb2.ExplainRequest, "request"),
    "numbers of a byte": (
        auralisation_pb2.AuraliseRequest(features=[1] * (MOST_BYTES + 1)).SerializeToString(),
        auralisation_pb2.AuraliseRequest,
        "features",
    ),
    "a long name": (
        explanation_pb2.ExplainRequest(rule="x" * (MOST_BYTES + 1)).SerializeToString(),
        explanation_pb2.ExplainRequest,
        "rule",
    ),
    "an unknown field": (b"\xfa\x01\x80\x80\x08" + bytes(131072), explanation_pb2.ExplainRequest, "request"),
    "much that is unknown": (
        2 * (b"\xfa\x01\x80\x80\x02" + bytes(32768)),
        maximisation_pb2.MaximiseRequest,
        "request",
    ),
    "cut": (b"\x0a\x05ab", explanation_pb2.ExplainRequest, "request"),
    "an endless number": (b"\xff" * 50, explanation_pb2.ExplainRequest, "request"),
    "a group": (b"\x0b\x0c", explanation_pb2.ExplainRequest, "request"),
}


@pytest.mark.parametrize(("content", "kind", "field"), UNSOUND.values(), ids=UNSOUND.keys())
def test_attack_fields_are_counted_and_weighed_before_they_are_decoded(content, kind, field):
    tracemalloc.start()
    with pytest.raises(InvalidRequest) as refused:
        check_fields(content, kind.DESCRIPTOR)
    assert tracemalloc.get_traced_memory()[1] < MIB
    tracemalloc.stop()
    assert [violation.field for violation in refused.value.violations] == [field]


def test_attack_the_largest_sound_request_is_far_below_the_limit():
    fields = sum(1 + len(term.ListFields()) for term in SOUND_REQUESTS["terms"].terms)
    assert fields < MOST_FIELDS / 3


@pytest.mark.e2e
def test_attack_millions_of_empty_terms_take_no_gigabyte(service):
    before_mib = service.resident_mib
    maximise = service.channel.unary_stream("/phonoscope.v1.ExplainerService/Maximise")
    error = refusal(list, maximise(b"\x0a\x00" * (16 * MIB)))
    assert (error.code(), list(violated(error))) == (grpc.StatusCode.INVALID_ARGUMENT, ["request"])
    assert service.resident_mib < before_mib + 150


@pytest.mark.e2e
@pytest.mark.parametrize("method", ["Maximise", "Explain"])
def test_attack_compressed_requests_are_refused(service, method):
    call = service.channel.unary_unary(f"/phonoscope.v1.ExplainerService/{method}")
    error = refusal(call, bytes(MIB), compression=grpc.Compression.Gzip)
    assert error.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.e2e
def test_attack_a_request_that_was_refused_is_let_go(service):
    nothing = prediction_pb2.PredictRequest(audio=file(b"nonsense" * (15 * MIB // 8)))
    refusal(service.stub.Predict, nothing)
    before_mib = service.resident_mib
    for _ in range(10):
        error = refusal(service.stub.Predict, nothing)
        assert list(violated(error)) == ["audio.encoded"]
    assert service.resident_mib < before_mib + 60


@pytest.mark.e2e
def test_attack_senders_who_never_finish_take_little_and_are_ended(tmp_path, repository):
    with attacked(tmp_path, repository, "--receive-s", "3") as service:
        before_mib = service.resident_mib
        calls = [HalfSentCall(service.address, "/phonoscope.v1.ExplainerService/Predict", 60 * MIB) for _ in range(30)]
        try:
            most_mib = 0.0
            while not all(call.ended.wait(0.1) for call in calls[:8]):
                most_mib = max(most_mib, service.resident_mib)
        finally:
            for call in calls:
                call.close()
        # One caller has half of the places; what was ended in them may not be let go before the next begins there.
        assert most_mib < before_mib + 60 * RECEIVED_AT_ONCE + 100
        assert service.stub.Explain(explanation_pb2.ExplainRequest(audio=SOUND, at_s=1)).at_s == 1.0
