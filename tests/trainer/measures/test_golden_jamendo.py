"""The evaluation protocol gives the published scores for the authors' predictions (Mishra et al. 2019, Table 3)."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from phonoscope_trainer.corpora.labels import frame_labels, read_lab
from phonoscope_trainer.frontends.mel import FRONTEND
from phonoscope_trainer.measures.scores import Curve, best_threshold, pooled, scores, smooth
from support.corpora.real_data import data_folder

PUBLISHED = {"precision": 0.896, "recall": 0.925, "specificity": 0.908, "f1": 0.910, "error": 0.084}


def curves(split: str) -> list[Curve]:
    """The replication's predictions for the 16 files of a split, with their labels."""
    root = data_folder("jamendo")
    predictions = np.load(root / "svdnet_replication_predictions.npz")
    found = []
    for name in (root / f"{split}.txt").read_text().splitlines():
        probability = predictions[name][:, 0]
        vocals = read_lab(root / "labels" / f"{Path(name).stem}.lab")
        labels = frame_labels(vocals, len(probability), FRONTEND.frames_per_second)
        found.append(Curve(probability, smooth(probability), labels))
    return found


@pytest.mark.data
def test_golden_jamendo_predictions_reproduce_the_published_scores():
    valid, test = curves("valid"), curves("test")
    assert len(valid) == len(test) == 16
    threshold = best_threshold((curve.probability, curve.labels) for curve in valid)
    assert threshold == 0.5
    found = asdict(scores(*pooled(test), threshold))
    assert {name: round(value, 3) for name, value in found.items()} == PUBLISHED
