"""What is wrong with a recording: from the service's answers to whoever reads them."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from phonoscope.v1 import audio_pb2, auralisation_pb2, explanation_pb2, inversion_pb2, prediction_pb2
from phonoscope_client import Client, SoundWarning
from phonoscope_client.cli import main
from phonoscope_client.commands.plain_text import auralisation_text, curve_text, explanation_text, inversions_text
from phonoscope_client.reports.auralisation import auralisation_page
from phonoscope_client.reports.curve import curve_page
from phonoscope_client.reports.explanation import explanation_page
from phonoscope_client.reports.inversion import inversion_page
from phonoscope_client.results.parts import wav
from support.corpora.sound import encoded
from support.services.client_results import auralisation, curve, explanation, inversions
from support.services.written_answers import serving

GAP = SoundWarning("gap", 62.4, 63.6, "1.200 s of sound are missing; there is <silence> in their place.")
PLACE = SoundWarning("truncated", 70.0, 70.0, "The end of the file is missing.")
TONE = (np.sin(np.arange(8000, dtype=np.float32) / 9), 8000)


def told(kind, start_s=0.5, end_s=1.0):
    return audio_pb2.SoundWarning(kind=kind, start_s=start_s, end_s=end_s, sentence="as the service says")


def answer(*warnings):
    """What makes any of the four answers, as small as the contract lets it be."""

    def answered(request, context):
        match type(request).DESCRIPTOR.name:
            case "PredictRequest":
                return prediction_pb2.PredictResponse(probability=[0.5], frames_per_second=70, warnings=warnings)
            case "ExplainRequest":
                trust = explanation_pb2.Trust(predicted_label=explanation_pb2.LABEL_VOCAL)
                return explanation_pb2.ExplainResponse(
                    at_s=request.at_s, masking=explanation_pb2.MASKING_M1, trust=trust, warnings=warnings
                )
            case "InvertLayersRequest":
                return inversion_pb2.InvertLayersResponse(at_s=request.at_s, warnings=warnings)
        return auralisation_pb2.AuraliseResponse(
            at_s=request.at_s, resynthesis=auralisation_pb2.RESYNTHESIS_PHASE, warnings=warnings
        )

    return answered


def answers(audio, at_s, *warnings):
    """What the four questions answer about a moment; about all of a recording, where it is sent whole."""
    with serving(answer(*warnings)) as address, Client(address) as client:
        return [
            client.explain(audio, at_s),
            client.invert_layers(audio, at_s),
            client.auralise(audio, at_s, "conv3"),
        ]


def test_every_kind_of_the_contract_has_its_name_here():
    kinds = audio_pb2.SoundWarningKind.values()[1:]
    with serving(answer(*map(told, kinds))) as address, Client(address) as client:
        predicted = client.predict(TONE)
    for made in (predicted, *answers(TONE, 0.5, *map(told, kinds))):
        assert [each.kind for each in made.warnings] == [
            name.removeprefix("SOUND_WARNING_KIND_").lower() for name in audio_pb2.SoundWarningKind.keys()[1:]
        ]
        assert {(each.start_s, each.end_s, each.sentence) for each in made.warnings} == {
            (0.5, 1.0, "as the service says")
        }


@pytest.mark.parametrize("kind", [0, 99])
def test_a_kind_of_a_newer_service_is_another_one_with_its_sentence(kind):
    for made in answers(TONE, 0.5, told(kind)):
        assert made.warnings == (SoundWarning("other", 0.5, 1.0, "as the service says"),)


def test_warnings_of_a_cut_are_at_their_place_in_the_whole_recording():
    long = (np.full(1201 * 4000, 0.1, np.float32), 4000)
    for made in answers(long, 1000.25, told(audio_pb2.SOUND_WARNING_KIND_CLIPPED)):
        assert made.warnings == (SoundWarning("clipped", 990.5, 991.0, "as the service says"),)


def test_what_could_not_be_decoded_here_is_told_beside_what_the_service_tells():
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 1201 * 4000).astype(np.float32)
    content = bytearray(encoded(noise, 4000, "FLAC"))
    at = len(content) * 600 // 1201
    content[at : at + 6000] = bytes(6000)
    for made in answers(bytes(content), 600.0, told(audio_pb2.SOUND_WARNING_KIND_CLIPPED)):
        damaged, clipped = made.warnings
        assert (damaged.kind, clipped.kind) == ("damaged", "clipped")
        assert 590 <= damaged.start_s < damaged.end_s <= 610


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (curve, curve_text),
        (explanation, explanation_text),
        (inversions, inversions_text),
        (auralisation, auralisation_text),
    ],
)
def test_a_terminal_shows_each_on_a_line_of_its_own(made, text):
    lines = text(replace(made(), warnings=(GAP, PLACE)), song="a song").splitlines()
    assert f"warning: gap, 1:02 to 1:04: {GAP.sentence}" in lines
    assert f"warning: truncated, 1:10: {PLACE.sentence}" in lines
    assert "warning" not in text(made(), song="a song")


@pytest.mark.parametrize("warnings", [(), (GAP, PLACE)], ids=["none", "two"])
def test_a_page_shows_them_above_everything_else_and_as_text(warnings, tmp_path):
    song = tmp_path / "a song.wav"
    song.write_bytes(wav(*TONE))
    for page in (
        curve_page(replace(curve(), warnings=warnings), song=song),
        explanation_page(explanation(warnings=warnings), song=song.name),
        inversion_page(inversions(warnings=warnings), song=song.name),
        auralisation_page(auralisation(warnings=warnings), song=song.name),
    ):
        head = page[page.index("<body>") : page.index("<section")]
        for shown in (
            '<ul class="warnings"',
            "<strong>Gap, 1:02 to 1:04.</strong>",
            "there is &lt;silence&gt; in their",
        ):
            assert (shown in head) == bool(warnings)


def test_the_command_line_tells_them_in_words_and_in_json(tmp_path, capsys):
    song = tmp_path / "song.wav"
    song.write_bytes(wav(*TONE))
    with serving(answer(told(audio_pb2.SOUND_WARNING_KIND_NARROW_BAND))) as address:
        assert main(["predict", str(song), "--server", address]) == 0
        assert "\nwarning: narrow band, 0:00 to 0:01: as the service says\n" in capsys.readouterr().out
        assert main(["predict", str(song), "--server", address, "--json"]) == 0
    expected = SoundWarning("narrow_band", 0.5, 1.0, "as the service says")
    assert json.loads(capsys.readouterr().out)["warnings"] == [asdict(expected)]
