"""`Client.auralise` and `phonoscope auralise` against the real service, and what they make of a broken one."""

import json

import numpy as np
import pytest
import soundfile
from phonoscope.v1 import auralisation_pb2
from phonoscope_client import Auralisation, Client, InvalidInputError, OutOfRangeError, ServiceError
from phonoscope_client.cli import main
from support.services.client_results import auralisation
from support.services.written_answers import serving


def test_an_auralisation_is_the_same_after_saving_and_loading(tmp_path):
    for listen in (True, False):
        saved = auralisation(listen=listen)
        saved.save(tmp_path / "auralisation.npz")
        loaded = Auralisation.load(tmp_path / "auralisation.npz")
        assert loaded.to_json() == saved.to_json()
        assert list(loaded.sounds) == list(saved.sounds)
        np.testing.assert_array_equal(loaded.features["conv3-1"].heard, saved.features["conv3-1"].heard)


def test_the_json_says_what_every_feature_did():
    document = json.loads(json.dumps(auralisation().to_json()))
    assert document["classes"] == {"ballad": 0.7, "dance": 0.2, "hip-hop": 0.1}
    assert document["features"]["conv3-7"] == {"feature": 7, "strength": 0.8, "answers": True}
    assert not document["features"]["conv3-38"]["answers"]


@pytest.mark.parametrize(
    ("asked", "field"),
    [({"network": "gan"}, "network"), ({"resynthesis": "none"}, "resynthesis"), ({"features": [-1]}, "features")],
    ids=str,
)
def test_what_the_contract_has_no_word_for_is_refused_before_it_is_sent(asked, field, song):
    with Client("127.0.0.1:1") as client, pytest.raises(InvalidInputError) as caught:
        client.auralise(song, 4.0, "conv3", **asked)
    assert [violation.field for violation in caught.value.violations] == [field]


def test_an_answer_in_unknown_words_is_the_services_defect(song):
    def answer(request, context):
        return auralisation_pb2.AuraliseResponse(resynthesis=9)

    with serving(answer) as address, Client(address) as client, pytest.raises(ServiceError, match="resynthesis"):
        client.auralise(song, 4.0, "conv3")


@pytest.mark.e2e
class TestWithTheRealService:
    def test_features_of_both_networks_are_heard(self, client, song, tone):
        audible = {each.network: each for each in client.describe().audible}
        assert list(audible) == ["tagger", "detector"]
        for network, each in audible.items():
            layer = list(each.layers)[-1]
            heard = client.auralise(song, 4.0, layer, network=network, strongest=3)
            assert (heard.network, heard.layer, heard.resynthesis) == (network, layer, "phase")
            assert len(heard.features) == 3
            assert len(heard.classes) == len(each.labels)
            assert heard.original_audio.samples.shape == (round(each.clip_s * heard.original_audio.sample_rate_hz),)
            for name, feature in heard.features.items():
                assert name == f"{layer}-{feature.feature}"
                assert feature.heard.shape == heard.given.shape
                assert feature.audio.samples.shape == heard.original_audio.samples.shape

    def test_a_moment_of_a_recording_too_long_to_send_is_the_same_moment(self, client, tone):
        shorter = np.tile(tone, 10)
        longer = np.concatenate([shorter, np.zeros(1150 * 22050, np.float32)])  # over 64 MiB
        expected, found = (client.auralise((each, 22050), 61.0, "conv2", features=[1]) for each in (shorter, longer))
        assert found.at_s == pytest.approx(expected.at_s, abs=0.012)  # a whole second is no whole number of frames
        assert found.axes.start_s - found.at_s == pytest.approx(expected.axes.start_s - expected.at_s)

    def test_what_is_not_there_is_refused_by_field(self, client, song):
        with pytest.raises(InvalidInputError, match="those of the tagger are conv1"):
            client.auralise(song, 4.0, "fc6")
        with pytest.raises(OutOfRangeError):
            client.auralise(song, 99.0, "conv3")

    def test_the_command_writes_a_report_sounds_and_arrays_and_prints_its_summary(
        self, service_address, song, tmp_path, capsys
    ):
        arguments = ["auralise", str(song), "--layer", "conv3", "--features", "1,7,38", "--out", str(tmp_path)]
        assert main([*arguments, "--at", "4", "--json", "--server", service_address]) == 0
        output = capsys.readouterr()
        document = json.loads(output.out)
        assert document == json.loads((tmp_path / "summary.json").read_text())
        assert list(document["features"]) == ["conv3-1", "conv3-7", "conv3-38"]
        wavs = ["conv3-1.wav", "conv3-38.wav", "conv3-7.wav", "original.wav"]
        names = sorted(["auralisation.npz", *wavs, "features.html", "summary.json"])
        assert sorted(path.name for path in tmp_path.iterdir()) == names
        assert sorted(document["files"].values()) == [str(tmp_path / name) for name in names]
        loaded = Auralisation.load(tmp_path / "auralisation.npz")
        assert loaded.features["conv3-7"].strength == document["features"]["conv3-7"]["strength"]
        samples, rate_hz = soundfile.read(tmp_path / "conv3-7.wav", dtype="float32")
        assert (len(samples), rate_hz) == (44100, 11025)
        assert "a tone &amp; more.wav" in (tmp_path / "features.html").read_text()
        expected = "phonoscope: listening with conv3 of the tagger to a tone & more.wav around 4.00 s ...\n"
        assert output.err == expected

    def test_without_a_folder_the_command_lists_what_answers_most_from_the_songs_beginning(
        self, service_address, song, capsys
    ):
        assert main(["auralise", str(song), "--layer", "conv5", "--server", service_address, "--quiet"]) == 0
        output = capsys.readouterr()
        assert "a tone & more.wav around 2.00 s: the tagger says " in output.out
        assert output.out.count("\n  conv5-") == 8
        assert output.err == ""
