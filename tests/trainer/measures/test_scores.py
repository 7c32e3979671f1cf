"""The evaluation protocol against slow references."""

from __future__ import annotations

import numpy as np
import pytest
from phonoscope_trainer.measures.scores import THRESHOLDS, Curve, auc, best_threshold, pooled, roc, scores, smooth

RNG = np.random.default_rng(0)


def test_auc_is_the_chance_that_a_sung_frame_outranks_another_ties_counting_half():
    probability = RNG.integers(0, 6, 60) / 5
    labels = RNG.random(60) < 0.4
    wins = [(p > n) + 0.5 * (p == n) for p in probability[labels] for n in probability[~labels]]
    assert auc(probability, labels) == pytest.approx(np.mean(wins))


def test_the_roc_curve_steps_once_for_each_distinct_probability_and_bounds_the_auc():
    probability = RNG.integers(0, 6, 60) / 5
    labels = RNG.random(60) < 0.4
    alarms, hits = roc(probability, labels)
    called = [probability >= threshold for threshold in (2, *np.unique(probability)[::-1])]
    np.testing.assert_allclose(alarms, [c[~labels].mean() for c in called])
    np.testing.assert_allclose(hits, [c[labels].mean() for c in called])
    assert np.trapezoid(hits, alarms) == pytest.approx(auc(probability, labels))


def test_recordings_are_pooled_after_each_was_filtered_by_itself():
    raw = [np.full(80, 0.2), np.full(70, 0.9)]
    curves = [Curve(p, smooth(p), np.full(len(p), p[0] > 0.5)) for p in raw]
    probability, labels = pooled(curves)
    np.testing.assert_array_equal(probability, np.repeat([0.2, 0.9], [80, 70]))
    np.testing.assert_array_equal(labels, np.repeat([False, True], [80, 70]))


@pytest.mark.parametrize("labels", [np.ones(5, bool), np.zeros(5, bool)])
def test_auc_of_one_class_is_not_a_number_but_nothing(labels):
    assert auc(np.linspace(0, 1, 5), labels) is None


def test_scores_are_the_counts_they_are_defined_by():
    probability = np.array([0.9, 0.8, 0.2, 0.6, 0.1, 0.4])
    labels = np.array([True, True, True, False, False, False])
    found = scores(probability, labels, 0.5)
    assert found.precision == pytest.approx(2 / 3)
    assert found.recall == pytest.approx(2 / 3)
    assert found.specificity == pytest.approx(2 / 3)
    assert found.f1 == pytest.approx(2 / 3)
    assert found.error == pytest.approx(2 / 6)


def test_a_ratio_without_a_denominator_is_nan_not_zero():
    found = scores(np.array([0.1, 0.2]), np.array([False, False]), 0.5)
    assert np.isnan(found.precision)
    assert np.isnan(found.recall)
    assert found.specificity == 1


def test_the_median_filter_spans_56_frames_and_repeats_the_ends():
    probability = RNG.random(200)
    padded = np.concatenate([np.repeat(probability[0], 28), probability, np.repeat(probability[-1], 28)])
    expected = [np.sort(padded[i : i + 56])[28] for i in range(200)]
    np.testing.assert_allclose(smooth(probability), expected)


def test_the_threshold_is_the_best_of_the_grid_over_all_pooled_frames():
    labels = np.repeat([False, True], [300, 200])
    tracks = [(np.where(labels, 0.75, 0.35), labels), (np.where(labels, 0.95, 0.55), labels)]
    assert 0.55 <= best_threshold(tracks) < 0.75
    assert len(THRESHOLDS) == 105


def test_of_equally_good_thresholds_the_middle_one_is_taken():
    labels = np.repeat([False, True], [300, 300])
    assert best_threshold([(np.where(labels, 0.9, 0.1), labels)]) == pytest.approx(0.5, abs=0.02)
