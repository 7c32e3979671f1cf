"""The HTML reports: everything in them, nothing outside them."""

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile
from phonoscope_client import Waveform
from phonoscope_client.reports.curve import curve_page
from phonoscope_client.reports.explanation import explanation_page, listening_gain
from phonoscope_client.results.parts import wav
from support.services.client_results import TRUST, curve, exchanged, explanation

VOID = {"meta", "img", "input", "br", "hr", "link"}


class Page(HTMLParser):
    """The elements and the text of a page; refuses tags that do not close in order."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.words, self._open = [], [], []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] not in {"style", "script"}:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def report():
    return explanation_page(explanation(), song="song.mp3")


@pytest.fixture
def song(tmp_path):
    path = tmp_path / "song.wav"
    path.write_bytes(wav(np.sin(np.arange(30_000, dtype=np.float32) / 9), 8000))
    return path


def sounds(text):
    sources = [audio["src"] for audio in Page(text).all("audio")]
    return [base64.b64decode(source.removeprefix("data:audio/wav;base64,")) for source in sources]


@pytest.mark.parametrize(
    "part",
    [
        "song.mp3",
        "At 30.00 s the detector answers vocal",
        "Masked, this region carries the answer",
        "What it heard",
        "Relevance",
        "trained to find what the answer rests on",
        "alpha = 0.60",
        "m2: raw log-mel set to zero",
        "noise-1",
        "ab" * 32,
        "How to read this",
        "29.2",
        "1 kHz",
        "threshold 0.47",
        "seed 7",
    ],
)
def test_a_report_says(report, part):
    assert part in Page(report).text


def test_every_probability_stands_beside_the_label_it_means(report):
    rows = re.findall(r"([\w ]+) (0\.\d{3}) (vocal|instrumental)", Page(report).text)
    assert [(name.strip(), value, label) for name, value, label in rows] == [
        ("Probability of singing Excerpt as it is", "0.934", "vocal"),
        ("Only the region kept", "0.812", "vocal"),
        ("The region removed", "0.213", "instrumental"),
        ("Random region 1 kept", "0.302", "instrumental"),
        ("Random region 2 kept", "0.281", "instrumental"),
        ("Random region 3 kept", "0.117", "instrumental"),
        ("The region played", "0.701", "vocal"),
        ("Random region 1 played", "0.401", "instrumental"),
        ("Random region 2 played", "0.383", "instrumental"),
        ("Random region 3 played", "0.532", "vocal"),
    ]


def test_bars_are_as_long_as_their_probabilities_and_the_threshold_is_marked_on_each(report):
    assert re.findall(r'<b style="width:([\d.]+)%">', report) == [
        "93.40",
        "81.20",
        "21.30",
        "30.20",
        "28.10",
        "11.70",
        "70.10",
        "40.10",
        "38.30",
        "53.20",
    ]
    assert report.count('<i style="left:47.00%">') == 10


def test_a_report_draws_three_pictures_and_describes_each_for_those_who_cannot_see_it(report):
    page = Page(report)
    described = [each["aria-label"] for each in page.all("div") if each.get("role") == "img"]
    assert len(page.all("img")) == len(described) == 3
    assert all(len(description) > 40 for description in described)


def test_the_players_hold_the_sounds_as_16_bit_wav(report):
    for data, original in zip(
        sounds(report), [explanation().original_audio, explanation().explanation_audio], strict=True
    ):
        decoded, rate_hz = soundfile.read(io.BytesIO(data), dtype="float32")
        assert rate_hz == original.sample_rate_hz
        np.testing.assert_allclose(decoded, original.samples, atol=1 / 2**15)


def test_both_sounds_are_turned_down_alike_when_one_would_clip():
    loud = explanation(
        original_audio=Waveform(np.array([0.5, -0.5], np.float32), 22050),
        explanation_audio=Waveform(np.array([2.0, -1.0], np.float32), 22050),
    )
    text = explanation_page(loud, song="loud")
    original, explained = (soundfile.read(io.BytesIO(data))[0] for data in sounds(text))
    np.testing.assert_allclose(original, [0.25, -0.25], atol=1e-4)
    np.testing.assert_allclose(explained, [1.0, -0.5], atol=1e-4)
    assert "turned down by 6.0 dB" in Page(text).text


def test_quiet_sounds_are_not_turned_up():
    assert listening_gain(explanation()) == 1


def test_without_sound_a_report_has_no_players():
    assert Page(explanation_page(explanation(listen=False), song="song")).all("audio") == []


def test_without_a_region_a_report_says_why_nothing_counts_and_what_is_played():
    nothing = replace(
        TRUST,
        relative_area=0.0,
        heard_probability=None,
        heard_label_kept=None,
        heard_control_probabilities=None,
        heard_control_label_kept=None,
    )
    empty = explanation(mask=np.zeros((115, 80), bool), trust=nothing)
    text = Page(explanation_page(empty, song="song")).text
    assert "evidence of nothing" in text
    assert "No region: all of the excerpt, softer" in text
    assert "played" not in text
    assert "the region keeps the answer" not in text


def test_an_exchange_is_told_and_played():
    page = explanation_page(exchanged(), song="song")
    text = Page(page).text
    assert "What this region holds carries the answer" in text
    assert "asked again with the region in other music" in text
    assert re.findall(r"(Region carried \d|Its silhouette \d) (0\.\d{3}) (\w+)", text)[:4] == [
        ("Region carried 1", "0.911", "vocal"),
        ("Region carried 2", "0.872", "vocal"),
        ("Region carried 3", "0.743", "vocal"),
        ("Its silhouette 1", "0.121", "instrumental"),
    ]
    players = [each["aria-label"] for each in Page(page).all("audio")]
    assert players[2:] == ["The region in other music", "Its silhouette there"]
    carried, _ = soundfile.read(io.BytesIO(sounds(page)[2]), dtype="float32")
    np.testing.assert_allclose(carried, exchanged().carried_audio.samples, atol=1 / 2**15)
    assert "hard to point at" not in text


def test_of_an_answer_that_nobody_sings_a_report_says_how_little_an_exchange_shows():
    text = Page(explanation_page(replace(exchanged(), label="instrumental"), song="song")).text
    assert "no region holds an absence" in text
    assert "take the region as a hint at most" in text


def test_names_from_outside_are_text_and_never_markup(tmp_path):
    hostile = '"><script>alert(1)</script>&.wav'
    text = explanation_page(
        explanation(bundle=replace(explanation().bundle, name="<img src=x onerror=alert(2)>")), song=hostile
    )
    page = Page(text)
    assert len(page.all("script")) == 1
    assert len(page.all("img")) == 3
    assert hostile in page.text


def loads(text):
    """Everything in a page that would make a browser fetch something."""
    addresses = [
        attributes[name]
        for _, attributes in Page(text).elements
        for name in ("src", "href", "srcset", "poster", "data", "action")
        if name in attributes
    ]
    return [*addresses, *re.findall(r"url\(([^)]*)\)|@import", text)]


def test_reports_load_nothing_from_outside_themselves(report, song):
    for text in (report, curve_page(curve(), song=song)):
        assert all(address.startswith("data:") for address in loads(text))
        assert "http://" not in text
        assert "https://" not in text


def test_browsers_are_told_to_refuse_whatever_is_outside_a_report(report):
    (policy,) = [each["content"] for each in Page(report).all("meta") if "http-equiv" in each]
    assert "default-src 'none'" in policy


def test_a_compact_region_is_outlined_and_scattered_bins_are_not(report):
    scattered = np.random.default_rng(5).uniform(size=(115, 80)) > 0.5
    assert 'class="edge"' in report
    assert 'class="edge"' not in explanation_page(explanation(mask=scattered), song="song")


@pytest.mark.parametrize(
    "changes",
    [
        {"mask": np.zeros((115, 80), bool), "trust": replace(TRUST, relative_area=0.0)},
        {"mask": np.ones((115, 80), bool), "trust": replace(TRUST, relative_area=1.0)},
        {"log_mel": np.full((115, 80), -16.1, np.float32), "relevance": np.zeros((115, 80), np.float32)},
        {"label": "instrumental", "probability": 0.0, "masking": "m1", "threshold": 1.0},
        {"rule": "another", "inverted": None, "explanation": None, "outside_db": None},
    ],
    ids=["no region", "all of it", "flat maps", "instrumental", "unknown rule"],
)
def test_unusual_explanations_still_make_a_whole_report(changes):
    assert "How to read this" in Page(explanation_page(explanation(**changes), song="song")).text


def test_a_curves_page_holds_the_recording_and_lists_its_passages(song):
    probability = np.zeros(7000)
    probability[1400:2800] = 1
    text = curve_page(curve(probability), song=song)
    (audio,) = Page(text).all("audio")
    assert base64.b64decode(audio["src"].split(",", 1)[1]) == song.read_bytes()
    assert "0:20 – 0:40 (20.0 s)" in Page(text).text
    assert [each["data-seek-s"] for each in Page(text).all("button")] == ["20.000"]
    assert "Singing in 20 % of 1:40" in Page(text).text


def test_a_curves_page_without_singing_says_so(song):
    assert "None." in Page(curve_page(curve(np.zeros(70)), song=song)).text


def test_a_recording_no_browser_plays_is_left_out_and_that_is_said(tmp_path):
    (tmp_path / "song.xyz").write_bytes(b"?")
    text = curve_page(curve(), song=tmp_path / "song.xyz")
    assert Page(text).all("audio") == []
    assert "No player" in Page(text).text
