import math

import pytest
from phonoscope.v1 import audio_pb2, bundle_pb2, explanation_pb2, prediction_pb2
from phonoscope_serving.service.validation import violations

SOUND = audio_pb2.Audio(encoded=b"something")
PCM = {"samples": bytes(400), "sample_rate_hz": 22050, "channels": 1}


def fields(**fields):
    request = explanation_pb2.ExplainRequest(**({"audio": SOUND} | fields))
    return [violation.field for violation in violations(request)]


def pcm(**fields_of_pcm):
    return audio_pb2.Audio(pcm=audio_pb2.PcmAudio(**(PCM | fields_of_pcm)))


def region(**choice):
    return explanation_pb2.RegionChoice(**choice)


@pytest.mark.parametrize(
    "fields_given",
    [
        {},
        {"audio": pcm()},
        {"audio": pcm(channels=0)},
        {"audio": pcm(channels=32, samples=bytes(128))},
        {"audio": pcm(sample_rate_hz=4000)},
        {"audio": pcm(sample_rate_hz=384000)},
        {"at_s": 0.0},
        {"at_s": 1e9},  # whether it lies in the recording only the recording can tell
        {"region": region(alpha=0.0)},
        {"region": region(alpha=1.0)},
        {"region": region(maximum_area=1.0)},
        {"region": region(largest_alpha_that_keeps_label=True)},
        {"region": region()},
        {"masking": explanation_pb2.MASKING_M1},
        {"listen": True},
        {"rule": "any"},  # whether the bundle has it only the bundle can tell
        {"outside_db": 0.0},
        {"outside_db": 120.0},
    ],
)
def test_sound_requests_have_no_violations(fields_given):
    assert fields(**fields_given) == []


@pytest.mark.parametrize(
    ("fields_given", "field"),
    [
        ({"audio": None}, "audio"),
        ({"audio": audio_pb2.Audio(encoded=b"")}, "audio.encoded"),
        ({"audio": audio_pb2.Audio(encoded=bytes((64 << 20) + 1))}, "audio.encoded"),
        ({"audio": pcm(samples=b"")}, "audio.pcm.samples"),
        ({"audio": pcm(samples=bytes(7))}, "audio.pcm.samples"),
        ({"audio": pcm(samples=bytes(12), channels=2)}, "audio.pcm.samples"),
        ({"audio": pcm(samples=bytes((64 << 20) + 4))}, "audio.pcm.samples"),
        ({"audio": pcm(sample_rate_hz=0)}, "audio.pcm.sample_rate_hz"),
        ({"audio": pcm(sample_rate_hz=3999)}, "audio.pcm.sample_rate_hz"),
        ({"audio": pcm(sample_rate_hz=384001)}, "audio.pcm.sample_rate_hz"),
        ({"audio": pcm(channels=33, samples=bytes(132))}, "audio.pcm.channels"),
        ({"at_s": math.nan}, "at_s"),
        ({"at_s": math.inf}, "at_s"),
        ({"at_s": -0.001}, "at_s"),
        ({"region": region(alpha=-0.01)}, "region.alpha"),
        ({"region": region(alpha=1.01)}, "region.alpha"),
        ({"region": region(alpha=math.nan)}, "region.alpha"),
        ({"region": region(maximum_area=0)}, "region.maximum_area"),
        ({"region": region(maximum_area=1.5)}, "region.maximum_area"),
        ({"region": region(maximum_area=math.nan)}, "region.maximum_area"),
        ({"region": region(largest_alpha_that_keeps_label=False)}, "region.largest_alpha_that_keeps_label"),
        ({"masking": 3}, "masking"),
        ({"masking": -1}, "masking"),
        ({"outside_db": -1}, "outside_db"),
        ({"outside_db": 121}, "outside_db"),
        ({"outside_db": math.nan}, "outside_db"),
    ],
)
def test_a_field_outside_its_range_is_named(fields_given, field):
    assert fields(**fields_given) == [field]


def test_every_violation_is_named_at_once():
    everything = fields(audio=pcm(channels=40, sample_rate_hz=1), at_s=-1, region=region(alpha=2), masking=9)
    assert everything == [
        "audio.pcm.sample_rate_hz",
        "audio.pcm.channels",
        "audio.pcm.samples",
        "at_s",
        "region.alpha",
        "masking",
    ]


def test_predictions_need_sound_too():
    assert [v.field for v in violations(prediction_pb2.PredictRequest())] == ["audio"]


def test_a_request_without_fields_has_nothing_to_violate():
    assert violations(bundle_pb2.DescribeBundleRequest()) == []
