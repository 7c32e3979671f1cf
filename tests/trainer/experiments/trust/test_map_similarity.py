"""Likeness of maps against its definitions."""

from __future__ import annotations

import numpy as np
import pytest
from phonoscope_trainer.experiments.trust.map_similarity import overlap, rank_correlation, structural_similarity
from scipy.stats import spearmanr

RNG = np.random.default_rng(0)
ONE, OTHER = RNG.random((2, 3, 30, 20))


def test_rank_correlation_is_that_of_spearman_with_ties():
    tied = np.round(ONE, 1)
    expected = [spearmanr(a.ravel(), b.ravel()).statistic for a, b in zip(tied, OTHER, strict=True)]
    np.testing.assert_allclose(rank_correlation(tied, OTHER), expected)


def test_a_constant_map_is_like_no_other():
    assert rank_correlation(np.ones((1, 4, 5)), ONE[:1, :4, :5]).tolist() == [0]


def test_structural_similarity_is_that_of_its_equation_at_every_bin():
    x, y = ((each - each.min()) / (each.max() - each.min()) for each in (ONE[0], OTHER[0]))
    offsets = np.arange(-5, 6)
    weight = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * 1.5**2))
    weight /= weight.sum()
    padded_x, padded_y = (np.pad(each, 5, mode="symmetric") for each in (x, y))
    values = []
    for t in range(30):
        for m in range(20):
            a, b = padded_x[t : t + 11, m : m + 11], padded_y[t : t + 11, m : m + 11]
            mean_a, mean_b = (weight * a).sum(), (weight * b).sum()
            var_a, var_b = (weight * (a - mean_a) ** 2).sum(), (weight * (b - mean_b) ** 2).sum()
            cov = (weight * (a - mean_a) * (b - mean_b)).sum()
            values.append(
                (2 * mean_a * mean_b + 1e-4)
                * (2 * cov + 9e-4)
                / ((mean_a**2 + mean_b**2 + 1e-4) * (var_a + var_b + 9e-4))
            )
    assert structural_similarity(ONE[:1], OTHER[:1])[0] == pytest.approx(np.mean(values))
    np.testing.assert_allclose(structural_similarity(ONE, 3 * ONE + 1), 1)


def test_overlap_is_the_shared_part_of_both_regions():
    one, other = ONE > 0.6, OTHER > 0.5
    expected = [len(a & b) / len(a | b) for a, b in (map(_places, pair) for pair in zip(one, other, strict=True))]
    np.testing.assert_allclose(overlap(one, other), expected)
    assert overlap(np.zeros((1, 2, 2), bool), np.zeros((1, 2, 2), bool)).tolist() == [1]


def _places(region):
    return set(np.flatnonzero(region).tolist())
