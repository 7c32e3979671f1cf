"""The page of what features hear."""

import base64
import io
import re
from dataclasses import replace

import matplotlib.image
import numpy as np
import pytest
import soundfile
from phonoscope_client import Waveform
from phonoscope_client.reports.auralisation import auralisation_page, listening_gains
from support.services.client_results import auralisation

HOSTILE = '"><script>alert(1)</script>&.wav'


@pytest.fixture(scope="module")
def page():
    return auralisation_page(auralisation(), song="song.mp3")


def text_of(page):
    return " ".join(re.sub(r"<[^>]*>", " ", re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.DOTALL)).split())


def pictures(page):
    sources = re.findall(r'<img alt="" src="data:image/png;base64,([^"]*)"', page)
    return [matplotlib.image.imread(io.BytesIO(base64.b64decode(source)), format="png") for source in sources]


def sounds(page):
    found = re.findall(r'<audio [^>]*aria-label="([^"]*)" src="data:audio/wav;base64,([^"]*)"', page)
    return {name: soundfile.read(io.BytesIO(base64.b64decode(source))) for name, source in found}


def test_every_feature_has_a_picture_and_a_player_beside_the_clip(page):
    cells = re.findall(
        r'<div class="layer"><h3>(.*?)</h3>(.*?)(?=<div class="layer">|<div class="legend">)', page, re.S
    )
    assert [title for title, _ in cells] == ["Clip", "conv3-7", "conv3-1", "conv3-38"]
    for _, cell in cells:
        assert cell.count("<img") == cell.count("<audio") == 1
        assert "Hz" in cell
        assert ">seconds<" in cell
    notes = {title: re.search(r'<p class="quiet">(.*?)</p>', cell)[1] for title, cell in cells}
    assert notes["conv3-7"] == "mean activation 0.8"
    assert notes["conv3-38"] == "did not answer"


def test_the_reader_is_told_the_classes_and_what_was_silent(page):
    text = text_of(page)
    for part in ("song.mp3", "the tagger answers ballad 70 %, dance 20 %, hip-hop 10 %", "How to read this", "ab" * 32):
        assert part in text
    assert "3 features of conv3; conv3-38 did not answer." in text
    assert re.findall(r'<b style="width:([\d.]+)%">', page) == ["70.00", "20.00", "10.00"]


def test_a_picture_is_dark_where_its_feature_heard_nothing_and_as_the_clip_where_it_heard_all(page):
    clip, late, early, nothing = pictures(page)
    assert {picture.shape for picture in (clip, late, early, nothing)} == {(257, 173, 4)}
    np.testing.assert_allclose(late[:, 86:], clip[:, 86:], atol=0.02)
    assert len(np.unique(late[:, :86].reshape(-1, 4), axis=0)) == 1
    assert len(np.unique(early[:, :86].reshape(-1, 4), axis=0)) > 10  # the sign does not matter to a magnitude
    assert len(np.unique(nothing.reshape(-1, 4), axis=0)) == 1


def test_what_the_detectors_features_hear_keeps_its_sign():
    made = auralisation(network="detector")
    _, late, early, nothing = pictures(auralisation_page(made, song="song"))
    red, blue = 0, 2
    assert late[0, -1, red] > late[0, -1, blue]
    assert early[0, 0, red] < early[0, 0, blue]
    assert len(np.unique(nothing.reshape(-1, 4), axis=0)) == 1


def test_every_sound_is_as_loud_as_the_clip_and_silence_stays_silent(page):
    heard = sounds(page)
    assert list(heard) == ["Clip", "conv3-7", "conv3-1", "conv3-38"]
    levels = [float(np.abs(samples).mean()) for samples, _ in heard.values()]
    assert levels == pytest.approx([0.2, 0.2, 0.2, 0.0], abs=1e-4)
    assert {rate_hz for _, rate_hz in heard.values()} == {11025}


def test_no_sound_is_turned_up_beyond_full_scale():
    made = auralisation()
    peak = np.zeros(100, np.float32)
    peak[50] = 0.5
    feature = replace(made.features["conv3-7"], audio=Waveform(peak, 11025))
    gains = listening_gains(replace(made, features={"conv3-7": feature}))
    assert gains == {"original": pytest.approx(1), "conv3-7": pytest.approx(2)}


def test_without_sound_there_are_no_players():
    silent = auralisation_page(auralisation(listen=False), song="song")
    assert "<audio" not in silent
    assert "repeat</label>" not in silent


def test_names_from_outside_are_text_and_never_markup():
    made = auralisation()
    features = {HOSTILE: made.features["conv3-7"]}
    hostile = replace(
        made,
        features=features,
        layer=HOSTILE,
        labels=np.array([HOSTILE] * 3),
        bundle=replace(made.bundle, name=HOSTILE),
    )
    page = auralisation_page(hostile, song=HOSTILE)
    assert page.count("<script>") == 1
    assert "alert(1)" in page


def test_the_page_loads_nothing_from_outside_itself(page):
    assert not re.search(r"https?://", page)
    assert all(source.startswith("data:") for source in re.findall(r'src="([^"]*)"', page))
    assert "default-src 'none'" in page
