"""Recordings that something is wrong with, as a client meets them: said in every answer, counted, judged alike."""

import pytest
from phonoscope.v1 import audio_pb2
from phonoscope.v1.auralisation_pb2 import AuraliseRequest
from phonoscope.v1.explanation_pb2 import ExplainRequest
from phonoscope.v1.inversion_pb2 import InvertLayersRequest
from phonoscope.v1.prediction_pb2 import PredictRequest
from phonoscope_serving.rpcs.wire import sound_warnings
from phonoscope_serving.sound.warning import SoundWarning, WarningKind
from support.corpora.sound import encoded, file, pcm
from support.corpora.sound_files import song

RATE_HZ = 22050
AT_S = 2.0
RPCS = {
    "Predict": lambda audio: PredictRequest(audio=audio),
    "Explain": lambda audio: ExplainRequest(audio=audio, at_s=AT_S),
    "InvertLayers": lambda audio: InvertLayersRequest(audio=audio, at_s=AT_S, layers=["conv1"]),
    "Auralise": lambda audio: AuraliseRequest(audio=audio, at_s=AT_S, layer="conv1", strongest=1),
}


def cut():
    """A file whose last third is missing."""
    whole = encoded(song(8), RATE_HZ, "FLAC")
    return whole[: len(whole) * 2 // 3]


def kinds(response):
    """What an answer warns of."""
    return {audio_pb2.SoundWarningKind.Name(warning.kind) for warning in response.warnings}


@pytest.mark.parametrize("kind", WarningKind)
def test_every_kind_has_its_name_in_the_contract(kind):
    (message,) = sound_warnings([SoundWarning(kind, 1.5, 2.0, "It is so.")])
    assert audio_pb2.SoundWarningKind.Name(message.kind) == f"SOUND_WARNING_KIND_{kind.name}"
    assert (message.start_s, message.end_s, message.sentence) == (1.5, 2.0, "It is so.")


def test_the_contract_knows_no_other_kinds():
    assert len(audio_pb2.SoundWarningKind.items()) == 1 + len(WarningKind)


@pytest.mark.parametrize("rpc", RPCS)
def test_every_answer_says_what_is_wrong_with_the_recording(service, rpc):
    response = getattr(service.stub, rpc)(RPCS[rpc](file(cut())))
    (warning,) = response.warnings
    assert kinds(response) == {"SOUND_WARNING_KIND_TRUNCATED"}
    assert 0.5 * 8 < warning.start_s == warning.end_s < 0.8 * 8
    assert "8.000 s" in warning.sentence


@pytest.mark.parametrize("rpc", RPCS)
def test_a_recording_that_nothing_is_wrong_with_is_not_warned_of(service, rpc):
    assert not getattr(service.stub, rpc)(RPCS[rpc](pcm(song(8)))).warnings


@pytest.mark.parametrize("rpc", RPCS)
def test_warnings_are_counted_once_an_answer_and_kind(service, rpc):
    def counted(kind):
        return service.count("phonoscope_sound_warnings_total", kind=kind)

    twice_damaged = bytearray(encoded(song(12), RATE_HZ, "OGG", "VORBIS"))
    third = len(twice_damaged) // 3
    twice_damaged[third] ^= 255
    twice_damaged[2 * third] ^= 255
    before = {kind.name.lower(): counted(kind.name.lower()) for kind in WarningKind}
    response = getattr(service.stub, rpc)(RPCS[rpc](file(bytes(twice_damaged))))
    assert len(response.warnings) == 2
    assert kinds(response) == {"SOUND_WARNING_KIND_GAP"}
    after = {kind.name.lower(): counted(kind.name.lower()) for kind in WarningKind}
    assert after == before | {"gap": before["gap"] + 1}


def test_every_kind_is_counted_from_the_start(service):
    for kind in WarningKind:
        assert (
            service.metrics.registry.get_sample_value("phonoscope_sound_warnings_total", {"kind": kind.name.lower()})
            is not None
        )
