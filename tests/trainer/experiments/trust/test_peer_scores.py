"""Scores of explanations against their equations, written out one excerpt at a time; and against Quantus."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from phonoscope_trainer.experiments.explanation.controls import ranks
from phonoscope_trainer.experiments.trust.peer_scores import HIGHER_IS_BETTER, deletion_insertion, scores

RNG = np.random.default_rng(0)
WHOLE, INSIDE, OUTSIDE = (RNG.normal(size=50) * 3 + shift for shift in (2, 1, -1))
WEIGHTS = torch.from_numpy(RNG.normal(size=(6, 5)))


def probability(log_odds):
    return 1 / (1 + math.exp(-log_odds))


def sure(excerpts):
    """A probability that follows from every bin."""
    return torch.sigmoid((excerpts * WEIGHTS).sum(dim=(1, 2)))


def test_every_score_follows_its_equation():
    kept = INSIDE > -0.3
    found = scores(WHOLE, INSIDE, OUTSIDE, kept)
    assert set(found) == set(HIGHER_IS_BETTER)
    for row in range(50):
        p, o, r = (probability(log_odds[row]) for log_odds in (WHOLE, INSIDE, OUTSIDE))
        expected = {
            "fidelity": 1 if kept[row] else 0,
            "average_increase": 1 if o > p else 0,
            "average_drop": max(0, p - o) / p,
            "average_gain": max(0, o - p) / (1 - p),
            "faithfulness": p - r,
            "log_odds_kept": math.log(o / (1 - o)) - math.log(p / (1 - p)),
            "log_odds_removed": math.log(p / (1 - p)) - math.log(r / (1 - r)),
        }
        assert {name: values[row] for name, values in found.items()} == pytest.approx(expected, abs=1e-9)


def test_a_label_that_is_all_but_certain_still_has_a_gain():
    found = scores(np.array([40.0]), np.array([41.0]), np.array([0.0]), np.array([True]))
    assert found["average_gain"][0] == pytest.approx(1 - math.exp(-1), rel=1e-6)


def test_deletion_and_insertion_are_what_is_left_bin_by_bin():
    excerpts, relevance = torch.from_numpy(RNG.normal(size=(3, 6, 5))), torch.from_numpy(RNG.normal(size=(3, 6, 5)))
    deletion, insertion = deletion_insertion(excerpts, ranks(relevance), sure, steps=30)
    for row in range(3):
        order = np.argsort(-relevance[row].numpy().ravel())
        left, alone = excerpts[row].numpy().ravel().copy(), np.zeros(30)
        curves = ([float(sure(excerpts[row : row + 1])[0])], [float(sure(torch.zeros(1, 6, 5))[0])])
        for bin_ in order:
            alone[bin_], left[bin_] = left[bin_], 0
            for curve, picture in zip(curves, (left, alone), strict=True):
                curve.append(float(sure(torch.from_numpy(picture.reshape(1, 6, 5)))[0]))
        for found, curve in zip((deletion, insertion), curves, strict=True):
            area = sum((a + b) / 2 for a, b in pairwise(curve)) / 30
            assert float(found[row]) == pytest.approx(area)


def test_bins_that_matter_are_deleted_and_inserted_first():
    excerpts = torch.ones(1, 6, 5, dtype=torch.float64)
    by_weight, by_chance = ranks(WEIGHTS[None]), ranks(torch.from_numpy(RNG.normal(size=(1, 6, 5))))
    best, other = (deletion_insertion(excerpts, ranked, sure, steps=30) for ranked in (by_weight, by_chance))
    assert best[0] < other[0]
    assert best[1] > other[1]


@pytest.mark.filterwarnings("ignore")  # Quantus warns of its own parameters
def test_deletion_is_the_pixel_flipping_of_quantus():
    quantus = pytest.importorskip("quantus", reason="LGPL, so optional: pip install 'phonoscope[quantus]'")

    class Sure(torch.nn.Module):
        def forward(self, excerpts):
            vocal = sure(excerpts[:, 0].double())
            return torch.stack([1 - vocal, vocal], dim=1)

    excerpts, relevance = RNG.normal(size=(4, 1, 6, 5)), RNG.normal(size=(4, 1, 6, 5))
    metric = quantus.PixelFlipping(
        features_in_step=3, perturb_baseline=0.0, normalise=False, abs=False, disable_warnings=True
    )
    flipped = np.array(
        metric(Sure().eval(), excerpts, np.ones(4, int), relevance, softmax=False, channel_first=True, device="cpu")
    )
    whole = sure(torch.from_numpy(excerpts[:, 0])).numpy()
    curve = np.concatenate([whole[:, None], flipped], axis=1)
    found, _ = deletion_insertion(
        torch.from_numpy(excerpts[:, 0]), ranks(torch.from_numpy(relevance[:, 0])), sure, steps=10
    )
    np.testing.assert_allclose(found, np.trapezoid(curve, axis=1) / 10, rtol=1e-5)
