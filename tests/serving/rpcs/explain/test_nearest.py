"""Examples that the detector holds for most alike, of a bundle with a small bank, and of one without."""

from __future__ import annotations

import pytest
from grpc import StatusCode
from phonoscope.v1.explanation_pb2 import EVIDENCE_MEAN_FILL, ExplainRequest
from phonoscope_client.results.parts import NearestExample
from phonoscope_client.results.wording import alike
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.errors import BundleError
from support.bundles.exchanging import bundle_that_exchanges, bundle_without_exchange
from support.bundles.repository import edit_manifest
from support.bundles.small_bank import EXCERPTS, SAID
from support.corpora.sound import music, pcm
from support.services.running import refusal, running, violated

ASKED = {"audio": pcm(music(4)), "at_s": 2.0, "evidence": EVIDENCE_MEAN_FILL}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return bundle_that_exchanges(tmp_path_factory.mktemp("bank"))


@pytest.fixture(scope="module")
def stub(root):
    with running(load_bundle(root), device="cpu", threads=1) as service:
        yield service.stub


def test_none_are_named_unless_they_are_asked_for(stub):
    assert not stub.Explain(ExplainRequest(**ASKED)).nearest


def test_the_nearest_come_first_and_say_where_they_are_from(stub):
    found = stub.Explain(ExplainRequest(**ASKED, nearest=3)).nearest
    everything = stub.Explain(ExplainRequest(**ASKED, nearest=2 * EXCERPTS)).nearest
    assert [each.song for each in found] == [each.song for each in everything][:3]
    distances = [each.distance for each in everything]
    assert distances == sorted(distances)
    assert min(distances) >= 0
    named = {(each["song"], each["start_s"], each["label"]) for each in SAID["examples"]}
    assert {(each.song, each.start_s, each.label) for each in everything} == named


def test_more_than_there_are_is_refused_by_field(stub):
    error = refusal(stub.Explain, ExplainRequest(**ASKED, nearest=2 * EXCERPTS + 1))
    assert error.code() is StatusCode.INVALID_ARGUMENT
    assert list(violated(error)) == ["nearest"]
    assert f"the bundle has {2 * EXCERPTS} examples" in error.details()


@pytest.mark.parametrize("listener", ["detector", "tagger"])
def test_a_bundle_without_examples_says_so(tmp_path, listener):
    with running(load_bundle(bundle_without_exchange(tmp_path)), device="cpu", threads=1) as service:
        error = refusal(service.stub.Explain, ExplainRequest(**ASKED, nearest=1, listener=listener))
    assert error.code() is StatusCode.FAILED_PRECONDITION
    assert "ask without nearest" in error.details()


def test_a_manifest_that_names_other_examples_than_the_graph_knows_is_refused(root, tmp_path):
    lacking = bundle_that_exchanges(tmp_path)
    edit_manifest(lacking, exchange={**SAID, "examples": SAID["examples"][1:]})
    with pytest.raises(BundleError, match="7 examples, and nearest knows"):
        load_bundle(lacking)


def test_an_example_is_told_in_words():
    words = alike(NearestExample("rendered 2027/4", 3.2, "vocal", 0.412))
    assert words == "rendered 2027/4 at 3.20 s (vocal), distance 0.41"
