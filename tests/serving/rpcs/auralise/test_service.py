"""`Auralise` as a client meets it: a real server, a real channel, the real bundle."""

import grpc
import numpy as np
import pytest
from phonoscope.v1 import auralisation_pb2
from phonoscope.v1.auralisation_pb2 import AuraliseRequest
from phonoscope.v1.bundle_pb2 import DescribeBundleRequest
from phonoscope.v1.explanation_pb2 import ExplainRequest
from phonoscope_serving.bundle.bundle import load_bundle
from support.bundles.repository import without_auralisation
from support.corpora.sound import music, pcm
from support.ids import brief
from support.services.running import array, refusal, running, violated

SONG = music(4)
GOOD = {"audio": pcm(SONG), "at_s": 2.0, "layer": "conv3"}
INVALID, OUT_OF_RANGE = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.OUT_OF_RANGE
DETECTOR = auralisation_pb2.NETWORK_DETECTOR


def test_what_features_hear_is_complete_and_consistent(service, bundle):
    response = service.stub.Auralise(AuraliseRequest(**GOOD, features=[7, 38], listen=True))
    assert (response.bundle.name, response.bundle.digest) == (bundle.name, bundle.digest)
    assert [(each.layer, each.feature) for each in response.features] == [("conv3", 7), ("conv3", 38)]
    frames, bins = array(response.given).shape
    assert (frames, bins) == (173, len(response.axes.band_centre_hz))
    assert response.at_s == pytest.approx(response.axes.start_s + 86 / response.axes.frames_per_second)
    assert len(response.classes) == 3
    assert sum(each.probability for each in response.classes) == pytest.approx(1, abs=1e-5)
    for each in response.features:
        assert array(each.heard).shape == (frames, bins)
        assert (each.audio.sample_rate_hz, len(each.audio.samples)) == (11025, 4 * 44100)
    assert len(response.original_audio.samples) == 4 * 44100
    assert response.resynthesis == auralisation_pb2.RESYNTHESIS_PHASE
    assert response.seconds > 0


def test_the_detectors_features_lie_on_the_axes_of_its_explanations(service):
    response = service.stub.Auralise(AuraliseRequest(**GOOD | {"layer": "conv5"}, network=DETECTOR, strongest=4))
    explained = service.stub.Explain(ExplainRequest(audio=GOOD["audio"], at_s=2.0))
    assert response.axes == explained.axes
    assert len(response.features) == 4
    assert [each.label for each in response.classes] == ["vocal"]
    assert response.classes[0].probability == pytest.approx(explained.trust.probability, abs=1e-5)
    assert not response.HasField("original_audio")
    assert not any(each.HasField("audio") for each in response.features)


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"audio": None}, INVALID, "audio"),
        ({"audio": pcm(np.zeros(44100))}, INVALID, "audio"),
        ({"at_s": -1.0}, INVALID, "at_s"),
        ({"at_s": 4.1}, OUT_OF_RANGE, "at_s"),
        ({"layer": ""}, INVALID, "layer"),
        ({"layer": "mp3"}, INVALID, "layer"),
        ({"network": 9}, INVALID, "network"),
        ({"network": DETECTOR}, INVALID, "layer"),
        ({"resynthesis": 9}, INVALID, "resynthesis"),
        ({"features": [1, 64]}, INVALID, "features[1]"),
        ({"features": [1, 1]}, INVALID, "features"),
        ({"features": range(65)}, INVALID, "features"),
        ({"strongest": 65}, INVALID, "strongest"),
        ({"strongest": 1, "features": [1]}, INVALID, "strongest"),
    ],
    ids=brief,
)
def test_bad_questions_about_features_are_refused_by_field_and_the_service_carries_on(service, fields, code, field):
    error = refusal(service.stub.Auralise, AuraliseRequest(**GOOD | fields))
    assert error.code() is code
    assert list(violated(error)) == [field]
    assert service.stub.Auralise(AuraliseRequest(**GOOD, features=[0])).at_s == pytest.approx(2.0, abs=0.012)


def test_the_bundle_says_what_can_be_heard(service):
    described = service.stub.DescribeBundle(DescribeBundleRequest()).audible
    assert [each.network for each in described] == [auralisation_pb2.NETWORK_TAGGER, DETECTOR]
    layers = [{layer.name: layer.features for layer in each.layers} for each in described]
    assert layers[0] == dict.fromkeys(["conv1", "conv2", "conv3", "conv4", "conv5"], 64)
    assert layers[1] == {"conv1": 64, "conv2": 32, "conv4": 128, "conv5": 64}
    assert [round(each.clip_s, 3) for each in described] == [4.0, 1.675]


def test_a_bundle_without_a_tagger_explains_but_does_not_auralise(tmp_path):
    with running(load_bundle(without_auralisation(tmp_path)), device="cpu", threads=1) as service:
        error = refusal(service.stub.Auralise, AuraliseRequest(**GOOD))
        assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert "holds nothing that makes features of the tagger heard" in error.details()
        assert not service.stub.DescribeBundle(DescribeBundleRequest()).audible
        assert service.stub.Explain(ExplainRequest(audio=GOOD["audio"], at_s=2.0)).at_s == 2.0


def test_features_made_heard_are_counted(service, bundle):
    def counted():
        return [
            service.count(
                "phonoscope_features_heard_total",
                bundle=bundle.name,
                network="tagger",
                layer="conv2",
                answered=answered,
            )
            for answered in ("true", "false")
        ]

    before = counted()
    response = service.stub.Auralise(AuraliseRequest(**GOOD | {"layer": "conv2"}, strongest=64))
    answered = sum(bool(array(each.heard).any()) for each in response.features)
    assert np.subtract(counted(), before).tolist() == [answered, 64 - answered]
