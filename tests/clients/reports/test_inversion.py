"""The page of a moment's inversions."""

import base64
import io
import re
from dataclasses import replace

import matplotlib.image
import numpy as np
import pytest
import soundfile
from phonoscope_client import Waveform
from phonoscope_client.reports.inversion import inversion_page, listening_gain
from support.services.client_results import inversions

HOSTILE = '"><script>alert(1)</script>&.wav'


@pytest.fixture(scope="module")
def page():
    return inversion_page(inversions(), song="song.mp3")


def text_of(page):
    return " ".join(re.sub(r"<[^>]*>", " ", re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.DOTALL)).split())


def cells(page):
    """Title and HTML of each cell of the grid."""
    return re.findall(r'<div class="layer"><h3>(.*?)</h3>(.*?)(?=<div class="layer">|<div class="legend">)', page, re.S)


def test_every_layer_has_a_picture_a_player_and_its_error_with_the_excerpt_first(page):
    assert [title for title, _ in cells(page)] == ["Excerpt", "conv1", "conv5", "fc8"]
    for title, cell in cells(page):
        assert cell.count("<img") == 1
        assert cell.count("<audio") == (2 if title == "Excerpt" else 1)
        assert "Hz" in cell
        assert ">seconds<" in cell
    notes = {title: re.search(r'<p class="quiet">(.*?)</p>', cell)[1] for title, cell in cells(page)}
    assert notes["conv5"] == "error 0.400, above that of 50 % of validation excerpts"
    assert notes["fc8"].endswith("over 99 % of validation excerpts; <strong>out of distribution</strong>")


def test_the_reader_is_told_which_layer_lost_most_and_what_not_to_lean_on(page):
    text = text_of(page)
    for part in ("song.mp3", "At 30.00 s the detector answers vocal", "How to read this", "noise-1", "ab" * 32):
        assert part in text
    assert "fc8 has lost most of this excerpt (error 0.80), conv1 least (0.05)." in text
    assert "Do not lean on fc8" in text


def test_pictures_are_the_maps_on_one_scale(page):
    sources = re.findall(r'<img alt="" src="data:image/png;base64,([^"]*)"', page)
    pictures = [matplotlib.image.imread(io.BytesIO(base64.b64decode(source)), format="png") for source in sources]
    assert {picture.shape for picture in pictures} == {(80, 115, 4)}
    np.testing.assert_array_equal(pictures[1], pictures[0])  # conv1 rebuilt the excerpt exactly
    assert len(np.unique(pictures[3].reshape(-1, 4), axis=0)) == 1  # fc8 nothing but a constant


def test_players_hold_their_own_layers_sound(page):
    expected = {"As it is": 0.5, "From its log-mel": 0.4, "From conv1": 0.3, "From conv5": 0.2, "From fc8": 0.1}
    found = re.findall(r'<audio [^>]*aria-label="([^"]*)" src="data:audio/wav;base64,([^"]*)"', page)
    assert [name for name, _ in found] == list(expected)
    for name, source in found:
        samples, rate_hz = soundfile.read(io.BytesIO(base64.b64decode(source)))
        assert rate_hz == 22050
        np.testing.assert_allclose(samples, expected[name], atol=1e-4)


def test_all_sounds_are_turned_down_alike_when_one_would_clip():
    made = inversions()
    layer = made.layers["fc8"]
    loud = {**made.layers, "fc8": replace(layer, audio=Waveform(np.full(100, 2, np.float32), 22050))}
    loud = replace(made, layers=loud)
    assert listening_gain(made) == 1
    assert listening_gain(loud) == 0.5
    assert "every player turned down by 6.0 dB" in text_of(inversion_page(loud, song="loud"))


def test_bars_are_as_long_as_the_errors_and_the_unit_is_marked(page):
    assert re.findall(r'<b style="width:([\d.]+)%">', page) == ["5.00", "40.00", "80.00"]
    assert page.count('<i style="left:100.00%">') == 3


def test_an_error_above_one_shortens_the_other_bars():
    made = inversions()
    far = replace(made, layers={**made.layers, "fc8": replace(made.layers["fc8"], reconstruction_error=2.0)})
    assert re.findall(r'<b style="width:([\d.]+)%">', inversion_page(far, song="s")) == ["2.50", "20.00", "100.00"]


def test_without_sound_there_are_no_players(page):
    silent = inversion_page(inversions(listen=False), song="song")
    assert "<audio" not in silent
    assert "repeat</label>" not in silent
    assert "repeat</label>" in page


def test_one_layer_alone_makes_a_whole_page():
    made = inversions()
    text = text_of(inversion_page(replace(made, layers={"fc8": made.layers["fc8"]}), song="song"))
    assert "fc8 has lost most of this excerpt (error 0.80)." in text


def test_names_from_outside_are_text_and_never_markup():
    made = inversions()
    layers = {HOSTILE: made.layers["conv1"]}
    page = inversion_page(replace(made, layers=layers, bundle=replace(made.bundle, name=HOSTILE)), song=HOSTILE)
    assert page.count("<script>") == 1
    assert "alert(1)" in page


def test_the_page_loads_nothing_from_outside_itself(page):
    assert not re.search(r"https?://", page)
    assert all(source.startswith("data:") for source in re.findall(r'src="([^"]*)"', page))
    assert "default-src 'none'" in page
