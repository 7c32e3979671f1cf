"""Recordings that something is wrong with, as a client meets them: said in every answer, counted, judged alike."""

import grpc
import numpy as np
import pytest
from phonoscope.v1 import audio_pb2
from phonoscope.v1.auralisation_pb2 import AuraliseRequest
from phonoscope.v1.explanation_pb2 import ExplainRequest
from phonoscope.v1.inversion_pb2 import InvertLayersRequest
from phonoscope.v1.prediction_pb2 import PredictRequest
from phonoscope_serving.rpcs.wire import sound_warnings
from phonoscope_serving.sound.warning import SoundWarning, WarningKind
from support.corpora.sound import encoded, file, pcm
from support.corpora.sound_files import coded, made, song, wav
from support.services.running import refusal, violated

RATE_HZ = 22050
AT_S = 2.0
MOST_PADDING = 6  # frames of 1/70 s: a codec's delay
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


def one_wrong(value, dtype=np.float32):
    """Six seconds of which one sample, far from the moment that is asked about, is wrong."""
    samples = song(6).astype(dtype)
    samples[-100] = value
    return samples


def with_zeros():
    """An MP3 file of which a stretch far from the moment that is asked about was overwritten."""
    content = bytearray(encoded(song(12), RATE_HZ, "MP3"))
    first = len(content) * 2 // 3
    content[first : first + 12_000] = bytes(12_000)
    return bytes(content)


REFUSED = {
    "nothing": (file(b""), "audio.encoded"),
    "no sound": (file(b"<html>" * 500), "audio.encoded"),
    "a header only": (file(encoded(song(1), RATE_HZ)[:44]), "audio.encoded"),
    "NaN far away, samples": (pcm(one_wrong(np.nan)), "audio.pcm.samples"),
    "NaN far away, WAV": (file(encoded(one_wrong(np.nan), RATE_HZ, "WAV", "FLOAT")), "audio.encoded"),
    "NaN far away, CAF": (file(coded(one_wrong(np.nan), RATE_HZ, "caf", "pcm_f32le")), "audio.encoded"),
    "infinite far away, AIFF": (file(coded(one_wrong(-np.inf), RATE_HZ, "aiff", "pcm_f32be")), "audio.encoded"),
    "huge far away, 64 bits": (
        file(encoded(one_wrong(1e300, np.float64), RATE_HZ, "W64", "DOUBLE")),
        "audio.encoded",
    ),
    "too loud far away": (pcm(one_wrong(1000.5)), "audio.pcm.samples"),
    "too loud in one of two channels": (
        pcm(np.stack([song(6), one_wrong(-1001)], axis=1), channels=2),
        "audio.pcm.samples",
    ),
    "integers as floats": (file(encoded(np.round(song(6) * 32768), RATE_HZ, "WAV", "FLOAT")), "audio.encoded"),
    "shorter than a frame": (pcm(song(0.02)), "audio.pcm.samples"),
    "too long": (file(encoded(np.zeros(1201 * 4000, "i2"), 4000, "FLAC")), "audio.encoded"),
    "too many channels": (file(encoded(np.zeros((9000, 33)), RATE_HZ)), "audio.encoded"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_every_rpc_refuses_the_same_recordings_for_the_same_reason(service, case):
    audio, field = REFUSED[case]
    reasons = set()
    for rpc, request in RPCS.items():
        error = refusal(getattr(service.stub, rpc), request(audio))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT, rpc
        assert list(violated(error)) == [field], rpc
        reasons.add(violated(error)[field])
    assert len(reasons) == 1


def test_every_rpc_says_the_same_of_a_recording_that_is_damaged_elsewhere(service):
    answers = {rpc: getattr(service.stub, rpc)(request(file(with_zeros()))) for rpc, request in RPCS.items()}
    warned = {
        rpc: [(w.kind, w.start_s, w.end_s, w.sentence) for w in answer.warnings] for rpc, answer in answers.items()
    }
    assert all(each == warned["Predict"] for each in warned.values()), warned
    assert kinds(answers["Predict"]) == {"SOUND_WARNING_KIND_GAP"}


def test_a_moment_behind_damage_is_the_moment_it_was(service):
    """What is silent keeps its length: the curve behind a gap is the undamaged one's."""
    whole = np.array(service.stub.Predict(PredictRequest(audio=file(encoded(song(12), RATE_HZ, "MP3")))).probability)
    response = service.stub.Predict(PredictRequest(audio=file(with_zeros())))
    curve = np.array(response.probability)
    assert len(curve) == pytest.approx(len(whole), abs=2)
    (gap,) = response.warnings
    before, after = round((gap.start_s - 1) * 70), round((gap.end_s + 1) * 70)
    np.testing.assert_allclose(curve[:before], whole[:before], atol=1e-3)
    np.testing.assert_allclose(curve[after:830], whole[after:830], atol=1e-3)
    explained = service.stub.Explain(ExplainRequest(audio=file(with_zeros()), at_s=11.0))
    assert explained.trust.probability == pytest.approx(whole[770], abs=1e-3)


@pytest.mark.parametrize(
    "command",
    [
        "lame --quiet -t -V4 {song} {out}.mp3",
        "lame --quiet -t -b 128 {song} {out}.mp3",
        "ffmpeg -v error -y -i {song} -c:a mp2 -b:a 160k {out}.mp2",
        "ffmpeg -v error -y -i {song} -f flac -",
        "ffmpeg -v error -y -i {song} -c:a libopus {out}.opus",
        "ffmpeg -v error -y -i {song} -c:a libvorbis -q:a 5 {out}.ogg",
    ],
    ids=["MP3, variable rate, no table", "MP3, constant rate, no table", "MP2", "FLAC from a pipe", "Opus", "Vorbis"],
)
def test_the_curve_of_a_file_is_that_of_the_samples_it_was_made_of(service, command, tmp_path):
    """Noise covers what is digital silence in a song that a program played: codecs make something else of it."""
    noise = np.random.default_rng(0).normal(0, 10 ** (-50 / 20), len(song()))
    samples = wav(song() + noise)
    expected = np.array(service.stub.Predict(PredictRequest(audio=file(samples))).probability)
    content = made(command, tmp_path, song=samples)
    curve = np.array(service.stub.Predict(PredictRequest(audio=file(content))).probability)
    assert 0 <= len(curve) - len(expected) <= MOST_PADDING
    compared = len(expected) - MOST_PADDING
    later = [curve[frames : frames + compared] for frames in range(MOST_PADDING)]
    assert min(np.abs(each - expected[:compared]).mean() for each in later) < 0.05
    off = np.abs(curve[140:][:compared] - expected[: len(curve[140:][:compared])]).mean()
    assert off > 0.1  # what is heard 2 s early is another curve


@pytest.mark.parametrize(
    ("container", "rates_hz"), [("MP3", (22050, 44100)), ("FLAC", (44100, 16000)), ("OGG", (16000, 44100))]
)
def test_a_moment_past_the_join_of_parts_of_different_rate_is_explained(service, container, rates_hz):
    parts = [
        np.interp(np.arange(6 * rate_hz) * RATE_HZ / rate_hz, np.arange(6 * RATE_HZ), song(6, at_s))
        for at_s, rate_hz in zip((0, 6), rates_hz, strict=True)
    ]
    audio = file(b"".join(encoded(part, rate_hz, container) for part, rate_hz in zip(parts, rates_hz, strict=True)))
    curve = service.stub.Predict(PredictRequest(audio=audio))
    explained = service.stub.Explain(ExplainRequest(audio=audio, at_s=9.5))
    assert explained.at_s == 9.5
    assert explained.trust.probability == pytest.approx(curve.probability[665], abs=1e-3)
    assert kinds(explained) == kinds(curve) == {"SOUND_WARNING_KIND_SEVERAL_STREAMS"}
