"""Calibration and threshold: every family counts alike, no ranking changes, and what cannot be chosen is refused."""

from __future__ import annotations

import numpy as np
import pytest
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.measures.families import Heard, frame_weights
from phonoscope_trainer.measures.operating_point import LogitMap, operating_point
from phonoscope_trainer.measures.platt import platt
from scipy.special import expit


def heard(family: str, group: str, frames: int = 100, sung: float = 3.0, unsung: float = -3.0) -> Heard:
    """Half of the frames are sung; each half has one logit."""
    labels = np.arange(frames) < frames // 2
    return Heard(family, group, np.where(labels, sung, unsung).astype(np.float32), labels)


def test_families_count_alike_in_them_groups_and_in_these_frames():
    recordings = [heard("long", "a", 1000), heard("long", "b", 10), heard("long", "b", 30), heard("short", "c", 10)]
    weights = frame_weights(recordings)
    shares = [float(weight.sum()) for weight in weights]
    assert shares == pytest.approx([0.25, 0.25 / 4, 0.75 / 4, 0.5])
    assert all(np.ptp(weight) == 0 for weight in weights)


def test_two_families_may_have_groups_of_one_name():
    assert [w.sum() for w in frame_weights([heard("songs", "x"), heard("mixes", "x")])] == pytest.approx([0.5, 0.5])


def test_platt_finds_the_map_that_the_labels_were_drawn_by():
    rng = np.random.default_rng(0)
    logit = rng.normal(0, 2, 40_000)
    labels = rng.random(len(logit)) < expit(0.5 * logit + 1)
    scale, offset = platt(logit, labels, np.full(len(logit), 1 / len(logit)))
    assert scale == pytest.approx(0.5, abs=0.03)
    assert offset == pytest.approx(1, abs=0.06)


def test_platt_listens_to_the_weights():
    logit, labels = np.zeros(4000), np.arange(4000) < 3000
    _, even = platt(logit, labels, np.where(labels, 1, 3) / 6000)
    _, pooled = platt(logit, labels, np.full(4000, 1 / 4000))
    assert even == pytest.approx(0, abs=0.01)
    assert pooled > 0.5


@pytest.mark.parametrize("sign", [1, -1])
def test_a_detector_that_divides_all_frames_or_orders_them_wrongly_has_a_finite_map_that_keeps_the_order(sign):
    logit, labels = sign * np.linspace(-1, 1, 50), np.linspace(-1, 1, 50) > 0
    scale, offset = platt(logit, labels, np.full(50, 1 / 50))
    assert 0 < scale < 100
    assert np.isfinite(offset)


def test_a_long_family_does_not_decide_the_threshold_for_a_short_one():
    long = [heard("easy", "a", 20_000, sung=4, unsung=unsung) for unsung in (1.4, -3)]
    short = [heard("rap", name, 400, sung=0.8, unsung=-1) for name in "bc"]
    point = operating_point([*long, *short], LogitMap())
    assert point.threshold <= expit(0.8)
    assert point.families["rap"].error < 0.01
    assert point.families["easy"].error == pytest.approx(0.25, abs=0.01)


def test_what_a_family_says_names_its_worst_group():
    point = operating_point([heard("songs", "good"), heard("songs", "bad", sung=-3), heard("songs", "other")])
    songs = point.families["songs"]
    assert (songs.groups, songs.recordings, songs.worst_group) == (3, 3, "bad")
    assert songs.worst_group_error == pytest.approx(0.5, abs=0.02)
    assert songs.error == pytest.approx(songs.worst_group_error / 3, abs=0.02)


def test_calibration_brings_probabilities_nearer_to_what_is_sung():
    rng = np.random.default_rng(1)
    logit = rng.normal(0, 2, 5000).astype(np.float32)
    recording = Heard("all", "a", logit, rng.random(5000) < expit(logit + 2))
    point = operating_point([recording])
    assert point.calibration_error < 0.5 * point.calibration_error_before
    assert operating_point([recording], LogitMap()).calibration_error == point.calibration_error_before


def test_recordings_that_nobody_sings_in_choose_nothing():
    silent = Heard("all", "a", np.zeros(60, np.float32), np.zeros(60, bool))
    with pytest.raises(OptionsError, match="sung frames and others"):
        operating_point([silent])
