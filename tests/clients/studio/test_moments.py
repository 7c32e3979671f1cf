"""Why here, layers and features: the same answers as the Python client has, and sounds when they are wanted."""

import base64
import io

import numpy as np
import pytest
import soundfile
from phonoscope_client import NotInBundleError
from phonoscope_client.results.verdict.verdict import verdict
from support.services.studio import running_studio

pytestmark = pytest.mark.e2e
AT_S = 4.0


def array(picture, name="bytes"):
    return np.frombuffer(base64.b64decode(picture[name]), np.uint8)


@pytest.fixture(scope="module")
def said(visitor, number, heard):
    visitor.get(f"/api/songs/{number}/peaks")  # has the song decoded, so that no more than a moment is sent
    answer = visitor.post(f"/api/songs/{number}/explain", {"at_s": AT_S})
    assert answer.status == 200, answer.body
    return answer.json


@pytest.fixture(scope="module")
def known(client, song):
    return client.explain(song, AT_S, listen=False)


def test_a_moment_is_explained_as_the_client_explains_it(said, known):
    assert said["at_s"] == pytest.approx(known.at_s)
    assert (said["label"], said["rule"], said["alpha"]) == (known.label, known.rule, known.alpha)
    assert said["probability"] == pytest.approx(known.probability, abs=2e-3)
    frames, bands = known.mask.shape
    region = np.unpackbits(array(said["region"], "bits"))[: frames * bands].reshape(frames, bands)
    assert (said["region"]["frames"], said["region"]["mels"]) == (frames, bands)
    assert np.mean(region != known.mask) < 0.01
    np.testing.assert_allclose(array(said["relevance"]).reshape(frames, bands), 255 * known.relevance, atol=6)
    assert said["start_s"] == pytest.approx(known.axes.start_s, abs=0.01)


def test_it_is_told_in_the_words_of_the_verdict(said, known):
    words = said["words"]
    assert words["headline"]
    assert {each["bearing"] for each in words["sentences"]} <= {"supports", "weakens", "neutral"}
    assert len(words["sentences"]) == len(verdict(known).findings)
    assert [each["name"] for each in said["trials"]][:2] == ["Excerpt as it is", "Region carried 1"]
    assert all(0 <= each["value"] <= 1 for each in said["trials"])


def test_sounds_are_made_when_they_are_wanted(visitor, said):
    sounds = {}
    for kind, path in said["sounds"].items():
        answer = visitor.get(path)
        assert answer.status == 200
        assert answer.headers["content-type"] == "audio/wav"
        sounds[kind], _ = soundfile.read(io.BytesIO(answer.body))
    assert list(sounds) == ["original", "region", "removed", "carried", "silhouette"]
    gain = 10 ** (-25 / 20)
    np.testing.assert_allclose(sounds["region"] + sounds["removed"], (1 + gain) * sounds["original"], atol=2e-4)
    part = visitor.get(said["sounds"]["region"], range="bytes=10-19")
    assert part.status == 206
    assert len(part.body) == 10
    assert visitor.get(said["sounds"]["region"].replace("region", "nothing")).status == 404


def test_of_a_passage_the_moment_is_explained_that_the_listener_is_surest_of(visitor, number, heard, said):
    answer = visitor.post(f"/api/songs/{number}/explain", {"start_s": 6.0, "end_s": 2.0, "trust": "kept"}).json
    assert answer["passage"] == [2.0, 6.0]
    assert 2 <= answer["at_s"] <= 6
    assert answer["words"]["sentences"][0]["text"].endswith("where the listener is surest.")


def test_of_a_passage_that_was_not_heard_yet_the_middle_is_explained_and_said_to_be(service_address, song):
    with running_studio(song, "--server", service_address) as running:
        visitor = running.visitor()
        (opened,) = visitor.get("/api/songs").json
        asked = {"start_s": 2.0, "end_s": 6.0, "trust": "mean-fill"}
        answer = visitor.post(f"/api/songs/{opened['id']}/explain", asked).json
    assert answer["at_s"] == pytest.approx(4, abs=0.02)
    assert "its middle" in answer["words"]["sentences"][0]["text"]


def test_rule_alpha_and_evidence_are_used_as_given(visitor, number):
    asked = {"at_s": AT_S, "rule": "gradient", "alpha": 0.7, "trust": "mean-fill"}
    answer = visitor.post(f"/api/songs/{number}/explain", asked).json
    assert (answer["rule"], answer["alpha"]) == ("gradient", 0.7)
    assert "masking alone" in answer["words"]["sentences"][-3]["text"]
    assert list(answer["sounds"]) == ["original", "region", "removed"]


def test_another_listeners_region_lies_on_what_is_shown(visitor, number, heard):
    asked = {"at_s": AT_S, "listener": "tagger", "label": "dance", "contrast": "ballad"}
    answer = visitor.post(f"/api/songs/{number}/explain", asked).json
    assert (answer["label"], answer["contrast"], answer["spoken"]) == ("dance", "ballad", "dance")
    assert answer["region"]["mels"] == heard[0]["mels"]
    assert answer["region"]["frames"] / 70 == pytest.approx(173 * 256 / 11025, abs=0.02)
    relevance = array(answer["relevance"]).reshape(-1, answer["region"]["mels"])
    above = np.array(heard[0]["mel_hz"]) > 11025 / 2
    assert not relevance[:, above].any()
    assert relevance.any()
    assert answer["picture"]["mels"] == 257


@pytest.mark.parametrize(
    ("question", "field", "word"),
    [
        ({}, "at_s", "seconds"),
        ({"at_s": "x"}, "at_s", "seconds"),
        ({"at_s": 1e9}, "at_s", "song's end"),
        ({"at_s": 4, "alpha": 2}, "region.alpha", "1"),
        ({"at_s": 4, "rule": "nothing"}, "rule", "masker"),
        ({"at_s": 4, "listener": "nobody"}, "listener", "tagger"),
        ({"at_s": 4, "trust": "some"}, "trust", "full"),
        ({"at_s": 4, "label": 3}, "label", "name"),
        ({"start_s": 1, "end_s": None}, "end_s", "seconds"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_by_field_and_limit(visitor, number, question, field, word):
    answer = visitor.post(f"/api/songs/{number}/explain", question)
    assert answer.status == 400
    assert answer.error["field"] == field
    assert word in answer.error["message"]


def test_examples_that_are_alike_are_named_where_the_bundle_has_some(visitor, said, number, client, song):
    found = visitor.get(f"/api/explanations/{said['id']}/nearest")
    assert found.status == 200
    try:
        known = client.explain(song, AT_S, listen=False, nearest=3, evidence="mean-fill").nearest
    except NotInBundleError:
        known = ()
    assert [(each["song"], each["label"]) for each in found.json["nearest"]] == [
        (each.song, each.label) for each in known
    ]
    asked = {"at_s": AT_S, "listener": "tagger", "trust": "kept"}
    tagged = visitor.post(f"/api/songs/{number}/explain", asked).json
    for _ in range(2):
        assert visitor.get(f"/api/explanations/{tagged['id']}/nearest").json == {"nearest": []}


def test_every_layer_is_inverted_beside_the_input(visitor, number):
    said = visitor.post(f"/api/songs/{number}/invert", {"at_s": AT_S}).json
    assert [each["name"] for each in said["layers"]] == ["conv1", "conv2", "mp3", "conv4", "conv5", "mp6", "fc7", "fc8"]
    shapes = {(each["picture"]["frames"], each["picture"]["mels"]) for each in said["layers"]}
    assert shapes == {(said["input"]["frames"], said["input"]["mels"])}
    for path in (said["sound"], said["layers"][-1]["sound"]):
        assert soundfile.info(io.BytesIO(visitor.get(path).body)).duration == pytest.approx(1.675, abs=0.01)
    assert visitor.get(said["sound"].replace("original", "conv9")).status == 404


def test_features_come_strongest_first_with_pictures_and_sounds(visitor, number):
    asked = {"at_s": AT_S, "listener": "detector", "layer": "conv5", "count": 3}
    said = visitor.post(f"/api/songs/{number}/auralise", asked).json
    strengths = [each["activation"] for each in said["features"]]
    assert len(strengths) == 3
    assert strengths == sorted(strengths, reverse=True)
    first = said["features"][0]
    assert array(first["picture"]).size == first["picture"]["frames"] * first["picture"]["mels"]
    assert soundfile.info(io.BytesIO(visitor.get(first["sound"]).body)).frames > 0
    answer = visitor.post(f"/api/songs/{number}/auralise", {**asked, "layer": "conv9"})
    assert answer.status == 400
    assert "conv" in answer.error["message"]


def test_an_answer_that_is_not_kept_is_said_not_to_be(visitor):
    for path in ("/api/explanations/x/sounds/region", "/api/inversions/x/sounds/fc8", "/api/auralisations/x/sounds/3"):
        answer = visitor.get(path)
        assert answer.status == 404
        assert "ask for it again" in answer.error["message"]
