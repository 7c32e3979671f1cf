"""The sheet of a maximisation."""

import base64
import io
import re
from dataclasses import replace

import matplotlib.image
import numpy as np
import pytest
import soundfile
from phonoscope_client.reports.maximisation import maximisation_page
from support.services.client_results import maximisation

HOSTILE = '"><script>alert(1)</script>&'


@pytest.fixture(scope="module")
def page():
    return maximisation_page(maximisation())


def text_of(page):
    return " ".join(re.sub(r"<[^>]*>", " ", re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.DOTALL)).split())


def test_each_example_stands_beside_its_start_with_picture_player_and_response(page):
    cells = re.findall(
        r'<div class="layer"><h3>(.*?)</h3>(.*?)(?=<div class="layer">|<div class="legend">)', page, re.S
    )
    assert [title for title, _ in cells] == ["Start 1", "Example 1", "Start 2", "Example 2"]
    for _, cell in cells:
        assert cell.count("<img") == cell.count("<audio") == 1
        assert "Hz" in cell
    notes = [re.search(r'<p class="quiet">(.*?)</p>', cell)[1] for _, cell in cells]
    assert notes[0] == "response −0.50; instrumental, probability of singing 0.38"
    assert notes[1] == "response 3.50; vocal, probability of singing 0.97"


def test_the_reader_is_told_what_changed_and_what_made_it(page):
    text = text_of(page)
    assert (
        "From 0.00 to 3.00 on average; the detector calls 2 of 2 vocal, and called 1 of the random starts so." in text
    )
    for part in ("How to read this", "noise-1", "ab" * 32, "output, maximised", "Weight of the prior 0.001", "Seed 3"):
        assert part in text


def test_all_pictures_share_the_loudest_bin_as_their_zero(page):
    sources = re.findall(r'<img alt="" src="data:image/png;base64,([^"]*)"', page)
    pictures = [matplotlib.image.imread(io.BytesIO(base64.b64decode(source)), format="png") for source in sources]
    assert {picture.shape for picture in pictures} == {(80, 115, 4)}
    brightness = [picture[..., :3].mean() for picture in pictures]
    assert brightness[1] > brightness[0]
    assert brightness[3] > brightness[2]


def test_every_sound_is_brought_to_the_same_peak_and_silence_stays_silent(page):
    found = re.findall(r'<audio [^>]*aria-label="([^"]*)" src="data:audio/wav;base64,([^"]*)"', page)
    peaks = {name: np.abs(soundfile.read(io.BytesIO(base64.b64decode(source)))[0]).max() for name, source in found}
    assert peaks == {
        "Start 1": pytest.approx(0.9, abs=1e-3),
        "Example 1": pytest.approx(0.9, abs=1e-3),
        "Start 2": pytest.approx(0.9, abs=1e-3),
        "Example 2": 0,
    }


def test_without_sound_there_are_no_players():
    assert "<audio" not in maximisation_page(maximisation(listen=False))


def test_what_the_response_is_called_cannot_break_the_page():
    page = maximisation_page(replace(maximisation(), response=HOSTILE))
    assert HOSTILE not in page
    assert page.count("<script>") == 1
