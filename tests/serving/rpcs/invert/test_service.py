"""`InvertLayers` as a client meets it: a real server, a real channel, the real bundle."""

from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
from phonoscope.v1.bundle_pb2 import DescribeBundleRequest
from phonoscope.v1.explanation_pb2 import ExplainRequest
from phonoscope.v1.inversion_pb2 import InvertLayersRequest
from phonoscope_serving.bundle.bundle import load_bundle
from support.bundles.repository import without_inverters
from support.corpora.sound import music, pcm
from support.ids import brief
from support.services.running import array, refusal, running, violated

SONG = music(4)
GOOD = ExplainRequest(audio=pcm(SONG), at_s=2.0)
INVALID, OUT_OF_RANGE = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.OUT_OF_RANGE
EXCERPT_SHAPE = (115, 80)


def test_inversions_are_complete_and_consistent(service, bundle):
    response = service.stub.InvertLayers(InvertLayersRequest(audio=pcm(SONG), at_s=2.0, listen=True))
    explained = service.stub.Explain(GOOD)
    assert response.bundle == explained.bundle
    assert response.axes == explained.axes
    assert (response.at_s, response.threshold) == (explained.at_s, explained.threshold)
    assert response.probability == pytest.approx(explained.trust.probability, abs=1e-5)
    np.testing.assert_allclose(array(response.log_mel), array(explained.log_mel), atol=1e-5)
    assert [inversion.layer for inversion in response.inversions] == list(bundle.default.inversion_error_quantiles)
    for inversion in response.inversions:
        assert array(inversion.inverted).shape == array(response.standardised).shape == EXCERPT_SHAPE
        assert 0 <= inversion.reconstruction_percentile <= 1
    for waveform in (response.original_audio, response.log_mel_audio, *(i.audio for i in response.inversions)):
        assert (waveform.sample_rate_hz, len(waveform.samples)) == (22050, 4 * 36934)
    assert response.seconds > 0


def test_inversions_are_of_the_layers_asked_for_and_silent_unless_asked(service):
    response = service.stub.InvertLayers(InvertLayersRequest(audio=pcm(SONG), at_s=2.0, layers=["fc8", "conv5"]))
    assert [inversion.layer for inversion in response.inversions] == ["fc8", "conv5"]
    assert not any(inversion.HasField("audio") for inversion in response.inversions)
    assert not response.HasField("original_audio")
    assert not response.HasField("log_mel_audio")


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"layers": ["conv1", "conv9"]}, INVALID, "layers[1]"),
        ({"layers": ["fc8", "fc8"]}, INVALID, "layers[1]"),
        ({"audio": None}, INVALID, "audio"),
        ({"audio": pcm(np.zeros(44100))}, INVALID, "audio"),
        ({"at_s": -1.0}, INVALID, "at_s"),
        ({"at_s": float("inf")}, INVALID, "at_s"),
        ({"at_s": 4.1}, OUT_OF_RANGE, "at_s"),
    ],
    ids=brief,
)
def test_bad_questions_about_layers_are_refused_by_field_and_the_service_carries_on(service, fields, code, field):
    request = InvertLayersRequest(**({"audio": pcm(SONG), "at_s": 2.0} | fields))
    error = refusal(service.stub.InvertLayers, request)
    assert error.code() is code
    assert list(violated(error)) == [field]
    assert service.stub.Explain(GOOD).at_s == 2.0


def test_a_bundle_without_inverters_explains_but_does_not_invert(tmp_path):
    bundle = load_bundle(without_inverters(tmp_path))
    with running(bundle, device="cpu", threads=1) as service:
        error = refusal(service.stub.InvertLayers, InvertLayersRequest(audio=pcm(SONG), at_s=2.0))
        assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert f"the bundle {bundle.name} has no networks that invert layers" in error.details()
        described = service.stub.DescribeBundle(DescribeBundleRequest())
        assert [layer.invertible for layer in described.layers] == [False] * len(bundle.default.layers)
        assert service.stub.Explain(GOOD).at_s == 2.0


def test_callers_who_ask_for_different_layers_get_their_own(service, bundle):
    layers = [[name] for name in bundle.default.inversion_error_quantiles] * 2
    requests = [InvertLayersRequest(audio=pcm(SONG), at_s=2.0, layers=each) for each in layers]
    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(service.stub.InvertLayers, requests))
    assert [[inversion.layer for inversion in answer.inversions] for answer in answers] == layers


def test_how_well_each_layer_was_inverted_is_counted(service, bundle):
    def counted(name):
        return [
            service.count(name, bundle=bundle.name, listener="detector", layer=layer)
            for layer in (*bundle.default.inversion_error_quantiles, "x")
        ]

    names = ("phonoscope_inversion_error_sum", "phonoscope_inversions_out_of_distribution_total")
    before = [counted(name) for name in names]
    (inversion,) = service.stub.InvertLayers(InvertLayersRequest(audio=pcm(SONG), at_s=2.0, layers=["fc8"])).inversions
    errors, out_of_distribution = np.subtract([counted(name) for name in names], before)
    assert errors.tolist() == pytest.approx([0] * 7 + [inversion.reconstruction_error, 0], abs=1e-5)
    assert out_of_distribution.tolist() == [0] * 7 + [int(inversion.out_of_distribution), 0]
