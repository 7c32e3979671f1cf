"""Regions sought for each excerpt by itself: what rules are held against."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.experiments.adopted.sought import SoughtOptions, sought
from phonoscope_trainer.frontends.parameters import FrontendParameters
from phonoscope_trainer.networks.listener import Layered, Listener
from phonoscope_trainer.recipes.label_masker.excerpts import Matchmaker, margins_of
from phonoscope_trainer.recipes.listened import Listened, answers
from torch import nn

FRAMES, BANDS = 20, 12
PARAMETERS = FrontendParameters(8000, 256, 256, 128, bands=BANDS)


def listener():
    """Each of three labels is a third of the bands, louder than usual."""
    thirds = nn.Conv2d(1, 3, (1, BANDS))
    with torch.no_grad():
        thirds.weight.fill_(-0.02)
        thirds.bias.fill_(-1.0)
        for label in range(3):
            thirds.weight[label, 0, 0, 4 * label : 4 * label + 4] = 0.2
    network = nn.Sequential(nn.ConstantPad2d(0, 0.0), thirds, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    layered = Layered(network.eval().requires_grad_(requires_grad=False), ("0",), channel=True)
    return Listener("thirds", PARAMETERS, FRAMES, layered, ("low", "middle", "high"), "multi-label", (0.5,) * 3)


def test_what_is_sought_is_what_the_label_is_made_of():
    trained, rng, count = listener(), np.random.default_rng(1), 24
    log_mel = 0.1 * torch.from_numpy(rng.standard_normal((count, FRAMES, BANDS))).float()
    for row in range(count):
        log_mel[row, :, 4 * (row % 3) : 4 * (row % 3) + 4] += 4
    heard = Listened(log_mel, answers(trained, log_mel), np.arange(count), np.zeros(count), ())
    maker = Matchmaker(heard, margins_of(heard.log_odds, trained.threshold_logits, trained.decision))
    matches = maker.draw(6, rng)
    scores = sought(trained, maker, matches, np.full(6, 1 / 3), SoughtOptions(cell=2))
    assert scores.shape == (6, FRAMES, BANDS)
    for row, label in enumerate(matches.label):
        own = scores[row, :, 4 * label : 4 * label + 4].mean()
        assert own > scores[row].mean() + 0.1


def test_nothing_is_sought_in_no_steps():
    with pytest.raises(OptionsError, match="steps"):
        SoughtOptions(steps=0)
