"""An answer at the threshold itself is `vocal`, whoever judges it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from phonoscope_trainer.measures.bootstrap import intervals
from phonoscope_trainer.measures.scores import Curve, best_threshold, scores
from phonoscope_trainer.networks.label import is_vocal, threshold_logit

ANSWERS = (0.2, 0.45, 0.7)


@pytest.mark.parametrize(
    "answers", [np.array(ANSWERS), np.array(ANSWERS, np.float32), torch.tensor(ANSWERS), torch.tensor(ANSWERS).double()]
)
def test_at_the_threshold_and_above_the_label_is_vocal(answers):
    middle = float(answers[1])
    assert is_vocal(answers, middle).tolist() == [False, True, True]
    assert is_vocal(answers - middle, 0).tolist() == [False, True, True]


def test_the_threshold_of_logits_is_that_of_probabilities():
    logits = torch.tensor([-0.1, 0, 0.1]) + threshold_logit(0.3)
    assert is_vocal(logits, threshold_logit(0.3)).tolist() == [False, True, True]
    assert torch.sigmoid(torch.tensor(threshold_logit(0.3))).item() == pytest.approx(0.3)


def test_every_measure_judges_a_frame_at_the_threshold_alike():
    probability, sung = np.full(60, 0.5, np.float32), np.ones(60, bool)
    assert scores(probability, sung, 0.5).recall == 1
    interval = intervals([Curve(probability, probability, sung)] * 2, 0.5)["error"]
    assert interval is not None
    assert interval.high == 0
    # Every threshold from the lowest up to one half is right: the middle one of these is taken.
    assert best_threshold([(probability, sung)]) == 0.24
