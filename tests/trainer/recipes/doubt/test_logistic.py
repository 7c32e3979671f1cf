"""Logistic regression against Newton's method, and what weights mean."""

from __future__ import annotations

import numpy as np
import pytest
from phonoscope_trainer.recipes.doubt.logistic import PENALTY, alike, logistic


def reference(x, is_so, weights):
    """The same minimum by Newton's method, in plain steps."""
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    one = np.column_stack([z, np.ones(len(z))])
    share, so = weights / weights.sum(), is_so.sum()
    target = np.where(is_so, (so + 1) / (so + 2), 1 / (len(is_so) - so + 2))
    found, penalty = np.zeros(one.shape[1]), 2 * PENALTY * np.diag([*np.ones(z.shape[1]), 0])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-one @ found))
        gradient = one.T @ (share * (chance - target)) + penalty @ found
        found -= np.linalg.solve((one * (share * chance * (1 - chance))[:, None]).T @ one + penalty, gradient)
    slope = found[:-1] / x.std(axis=0)
    return slope, found[-1] - slope @ x.mean(axis=0)


def test_it_is_the_minimum():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3)) * [1, 5, 0.2] + [0, 3, -1]
    is_so = rng.random(400) < 1 / (1 + np.exp(-(x @ [1.0, -0.2, 2.0])))
    weights = rng.uniform(0.5, 2, 400)
    slope, offset = logistic(x, is_so, weights)
    expected_slope, expected_offset = reference(x, is_so, weights)
    np.testing.assert_allclose(slope, expected_slope, rtol=5e-3, atol=5e-3)
    assert offset == pytest.approx(expected_offset, abs=2e-2)


def test_groups_count_alike():
    weights = alike([3, 1, 6])
    assert [part.sum() for part in np.split(weights, [3, 4])] == pytest.approx([1 / 3] * 3)
