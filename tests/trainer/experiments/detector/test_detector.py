"""The detector experiment: what is averaged, pooled and drawn, and what the person at the terminal reads."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile
from phonoscope_trainer.corpora.corpus import Segment, Track
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.experiments.detector import figures as detector_figures
from phonoscope_trainer.experiments.detector.judging import chosen_threshold, hear, judge, stem_auc
from phonoscope_trainer.experiments.detector.scores import summary
from phonoscope_trainer.experiments.detector.table import table
from phonoscope_trainer.frontends.mel import FRONTEND
from phonoscope_trainer.measures.scores import auc, pooled
from support.corpora.music import melody


def by_loudness(samples):
    """A detector that takes loud frames for singing."""
    if len(samples) < FRONTEND.frame_samples:
        return np.zeros(0, np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRONTEND.frame_samples)[:: FRONTEND.hop_samples]
    return np.clip(3 * np.abs(frames).mean(axis=1), 0, 1).astype(np.float32)


def loud_between(start_s, end_s, seed=0):
    """Four seconds of music, loud in the middle."""
    samples = melody(4, seed)
    samples[: round(start_s * 22050)] *= 0.1
    samples[round(end_s * 22050) :] *= 0.1
    return samples


@pytest.fixture
def tracks(tmp_path):
    """A song whose loud part is sung, one with half of it labelled wrongly, and one that nobody sings."""
    found = []
    for seed, (name, vocals) in enumerate(
        {"right": (Segment(1, 3),), "half right": (Segment(0, 2),), "instrumental": ()}.items()
    ):
        path = tmp_path / f"{name}.wav"
        soundfile.write(path, loud_between(1, 3, seed), 22050)
        found.append(Track(name, name, "test", vocals, mixture=path))
    return found


def test_means_are_over_songs_and_only_over_those_that_have_a_value(tracks):
    document = summary(judge(tracks, by_loudness, 0.5), 0.5)
    right, half, instrumental = document["songs"]
    assert instrumental["auc"] is None
    assert right["auc"] > 0.95
    assert document["mean_auc"] == pytest.approx((right["auc"] + half["auc"]) / 2)
    assert document["mean_error"] == pytest.approx(np.mean([s["error"] for s in document["songs"]]))
    assert document["instrumental_false_rate"] == instrumental["error"]
    json.dumps(document, allow_nan=False)


def test_pooled_scores_count_every_frame_of_every_song_once(tracks):
    judged = judge(tracks, by_loudness, 0.5)
    found = summary(judged, 0.5)
    errors = [((s.curve.smoothed > 0.5) != s.curve.labels).sum() for s in judged]
    assert found["pooled"]["error"] == pytest.approx(sum(errors) / sum(len(s.curve.labels) for s in judged))
    assert found["pooled"]["auc"] == auc(*pooled([s.curve for s in judged]))
    assert found["interval"]["error"]["low"] <= found["pooled"]["error"] <= found["interval"]["error"]["high"]


def test_the_threshold_chosen_on_validation_tracks_divides_loud_from_soft(tracks):
    threshold = chosen_threshold(tracks[:1], by_loudness)
    (song,) = judge(tracks[:1], by_loudness, threshold)
    assert song.scores.error < 0.05


def test_stems_tell_sung_frames_of_the_mixture_from_the_accompaniment_alone(tmp_path):
    voice, accompaniment = loud_between(1, 3, 1), 0.2 * melody(4, 2)
    for name, samples in (("voice", voice), ("accompaniment", accompaniment)):
        soundfile.write(tmp_path / f"{name}.wav", samples, 22050)
    track = Track(
        "stems", "stems", "test", (Segment(1, 3),),
        voice=tmp_path / "voice.wav", accompaniment=tmp_path / "accompaniment.wav",
    )  # fmt: skip
    judged = judge([track], by_loudness, 0.5)
    assert stem_auc(judged, [track], by_loudness) > 0.95


def test_a_recording_shorter_than_a_frame_is_refused_by_name(tmp_path):
    soundfile.write(tmp_path / "click.wav", np.ones(500, np.float32), 22050)
    with pytest.raises(CorpusError, match=r"click: shorter than one frame \(1024 samples\)"):
        hear(Track("click", "click", "test", (), mixture=tmp_path / "click.wav"), by_loudness)


def test_the_table_has_a_line_a_song_and_a_dash_where_there_is_no_value(tracks):
    lines = table(summary(judge(tracks, by_loudness, 0.5), 0.5)).splitlines()
    assert [line.split("  ")[0].strip() for line in lines[1:4]] == ["right", "half right", "instrumental"]
    assert "–" in lines[3]
    assert "95% of 2000 draws of songs" in lines[5]
    assert "threshold 0.5" in lines[-1]


def test_figures_are_drawn_and_a_roc_curve_only_where_there_are_two_classes(tracks, tmp_path):
    judged = judge(tracks, by_loudness, 0.5)
    both = detector_figures.draw([s.curve for s in judged], 0.5, tmp_path / "new", "songs")
    alone = detector_figures.draw([judged[2].curve], 0.5, tmp_path, "instrumental")
    assert {path.name for path in both} == {"songs-roc.png", "songs-calibration.png"}
    assert [path.name for path in alone] == ["instrumental-calibration.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in (*both, *alone))
