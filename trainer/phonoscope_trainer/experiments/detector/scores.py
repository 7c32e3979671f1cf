"""The detector experiment: frame-wise scores of a detector on labelled recordings, song by song, pooled and by kind.

Protocol of Schlüter & Grill 2015, section 5.2: predictions at every frame, median filter of 56 frames, one threshold
chosen on validation data, all frames of all test files pooled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from phonoscope_trainer.experiments.detector.judging import SongScores
from phonoscope_trainer.experiments.detector.kinds import by_kind
from phonoscope_trainer.measures.bootstrap import BOOTSTRAP, intervals
from phonoscope_trainer.measures.calibration import reliability
from phonoscope_trainer.measures.scores import Scores, auc, pooled, scores


def summary(judged: Sequence[SongScores], threshold: float) -> dict[str, object]:
    """The experiment's document: means over songs, pooled scores with their intervals, kinds, and each song's row."""
    areas = [song.auc for song in judged if song.auc is not None]
    instrumental = [1 - song.scores.specificity for song in judged if song.sung_share == 0]
    return {
        "mean_auc": float(np.mean(areas)) if areas else None,
        "mean_error": float(np.mean([song.scores.error for song in judged])),
        "instrumental_false_rate": float(np.mean(instrumental)) if instrumental else None,
        "threshold": threshold,
        **_pooled(judged, threshold),
        **by_kind(judged, threshold),
        "songs": [_song(song) for song in judged],
    }


def _song(song: SongScores) -> dict[str, object]:
    names = ("name", "kind", "group", "seconds", "sung_share", "auc")
    return {name: getattr(song, name) for name in names} | numbers(song.scores)


def numbers(found: Scores) -> dict[str, float | None]:
    """Scores for a JSON document, which knows no NaN."""
    return {name: None if np.isnan(value) else value for name, value in asdict(found).items()}


def _pooled(judged: Sequence[SongScores], threshold: float) -> dict[str, object]:
    """Scores over all frames of all songs, how sure they are, and whether probabilities are what they say."""
    curves = [song.curve for song in judged]
    smoothed, labels = pooled(curves)
    meant = reliability(curves)
    bounds = {name: asdict(interval) for name, interval in intervals(curves, threshold).items() if interval}
    return {
        "pooled": {"auc": auc(smoothed, labels)} | numbers(scores(smoothed, labels, threshold)),
        "interval": asdict(BOOTSTRAP) | bounds,
        "calibration_error": meant.error,
        "calibration": {
            "predicted": meant.predicted.tolist(),
            "sung": meant.sung.tolist(),
            "frames": meant.frames.tolist(),
        },
    }
