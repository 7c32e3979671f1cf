"""The stress tests: each change of a sound is what it says, and what a detector makes of it is reported."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from phonoscope_trainer.corpora.corpus import Corpus, Segment, Track
from phonoscope_trainer.errors import CorpusError, OptionsError
from phonoscope_trainer.experiments.detector import stress_figure
from phonoscope_trainer.experiments.detector.stress import StressOptions, measure
from phonoscope_trainer.experiments.detector.stress_sounds import (
    StemSong,
    gain,
    noise,
    of_corpus,
    rendered,
    root_mean_square,
    solo,
    vibrato,
)
from phonoscope_trainer.frontends.mel import FRONTEND
from phonoscope_trainer.measures.listeners import bundle_listener
from support.corpora.music import melody

RATE_HZ = FRONTEND.sample_rate_hz
SMALL = StressOptions(
    levels_db=(-20, 0), depths_semitones=(0, 1), rates_hz=(6,), voice_db=(-20, 20), noise_snr_db=(40, -20)
)


def by_loudness(samples):
    """A detector that takes loud frames for singing."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRONTEND.frame_samples)[:: FRONTEND.hop_samples]
    return np.clip(3 * np.abs(frames).mean(axis=1), 0, 1).astype(np.float32)


def song(seed: int) -> StemSong:
    """Three seconds with a voice in the second one."""
    voice = melody(3, seed)
    voice[:RATE_HZ] = voice[2 * RATE_HZ :] = 0
    return StemSong(f"song {seed}", voice, 0.1 * melody(3, seed + 9), (Segment(1, 2),))


@pytest.fixture(scope="module")
def document():
    return measure(by_loudness, 0.4, [song(0), song(1)], SMALL)


def test_a_detector_that_hears_loudness_is_shown_to_depend_on_it(document):
    quiet, unchanged = document["level"]
    assert unchanged["largest_change"] == 0
    assert unchanged["error"] < 0.1
    assert quiet["largest_change"] > 0.3
    assert quiet["recall"] == 0


def test_a_voice_is_missed_where_it_sinks_below_its_accompaniment(document):
    below, above = document["voice"]
    assert below["auc"] < above["auc"]


def test_noise_of_both_colours_is_added_at_the_given_ratio(document):
    assert [(row["colour"], row["snr_db"]) for row in document["noise"]] == [
        ("white", 40), ("white", -20), ("pink", 40), ("pink", -20),
    ]  # fmt: skip
    assert document["noise"][0]["auc"] > document["noise"][1]["auc"]


def test_every_patch_and_depth_has_a_share_and_stems_are_heard_alone(document):
    rows = [*document["patches"], *document["vibrato"]]
    assert all(0 <= row["called_sung"] <= 1 for row in rows)
    assert {row["sound"] for row in document["patches"]} >= {"choir aahs", "voices", "accompaniments"}
    assert len(document["vibrato"]) == 2


def test_the_document_is_json_and_is_drawn(document, tmp_path):
    json.dumps(document, allow_nan=False)
    stress_figure.draw(document, tmp_path / "stress.png")
    assert (tmp_path / "stress.png").read_bytes().startswith(b"\x89PNG")


def test_an_exported_detector_can_be_stressed(written):
    listener, threshold = bundle_listener(written.root)
    options = StressOptions(levels_db=(0,), rates_hz=(), voice_db=(), noise_snr_db=())
    assert measure(listener, threshold, [song(0)], options)["level"][0]["largest_change"] == 0


def test_vibrato_swings_the_pitch_by_its_depth_at_its_rate():
    time_s = np.arange(2 * RATE_HZ) / RATE_HZ
    swung = vibrato(np.sin(2 * np.pi * 440 * time_s).astype(np.float32), depth_semitones=0.5, rate_hz=5)
    crossings = np.flatnonzero((swung[:-1] < 0) & (swung[1:] >= 0))
    exact = crossings - swung[crossings] / (swung[crossings + 1] - swung[crossings])
    semitones = 12 * np.log2(RATE_HZ / np.diff(exact) / 440)
    assert semitones.max() == pytest.approx(0.5, abs=0.03)
    assert semitones.min() == pytest.approx(-0.5, abs=0.03)
    rising = [a < 0 <= b for a, b in pairwise(semitones)]
    assert sum(rising) == pytest.approx(10, abs=1)


def test_no_vibrato_is_the_sound_itself():
    sound = melody(1)
    np.testing.assert_allclose(vibrato(sound, 0, 6), sound, atol=1e-6)


def test_pink_noise_falls_by_3_db_an_octave_and_white_noise_stays():
    hertz = np.fft.rfftfreq(2**18, 1 / RATE_HZ)
    for colour, fall_db in (("white", 0), ("pink", 3)):
        power = np.abs(np.fft.rfft(noise(colour, 2**18, 0))) ** 2
        octaves = [10 * np.log10(power[(hertz >= f) & (hertz < 2 * f)].mean()) for f in (250, 500, 1000, 2000, 4000)]
        np.testing.assert_allclose(-np.diff(octaves), fall_db, atol=0.3)
        assert root_mean_square(noise(colour, 2**18, 1)) == pytest.approx(1, abs=0.01)


def test_a_solo_is_sixteen_seconds_at_20_db_below_full_scale():
    sound = solo(73)
    assert len(sound) == 16 * RATE_HZ
    assert root_mean_square(sound) == pytest.approx(gain(-20), rel=1e-4)


def test_songs_made_from_nothing_are_sung_and_accompanied():
    (made,) = rendered(1, seconds=8)
    assert made.vocals
    assert made.voice.any()
    assert made.accompaniment.any()


def test_a_corpus_without_stems_cannot_be_stressed(tmp_path):
    corpus = Corpus("folder", "none", (Track("a", "a", "test", (Segment(0, 1),), mixture=tmp_path / "a.wav"),))
    with pytest.raises(CorpusError, match="folder: no track of the test split"):
        of_corpus(corpus, 3)


@pytest.mark.parametrize(
    ("options", "complaint"), [({"levels_db": (-6,)}, "levels_db needs 0"), ({"colours": ("red",)}, "not red")]
)
def test_options_that_make_no_sense_are_refused(options, complaint):
    with pytest.raises(OptionsError, match=complaint):
        StressOptions(**options)
