"""How a detector is judged (Schlüter & Grill 2015, section 5.2, and their released evaluation)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from phonoscope_trainer.networks.label import is_vocal

MEDIAN_FRAMES = 56
THRESHOLDS = (1e-5, 1e-4, 1e-3, *(i / 100 for i in range(1, 100)), 1 - 1e-3, 1 - 1e-4, 1 - 1e-5)
ROUNDING = 1e-12  # sums of weights that are equal but for it are equal


@dataclass(frozen=True, slots=True)
class Curve:
    """One recording as a detector heard it, at every frame."""

    probability: NDArray[np.floating]  # [T] as the detector gave it
    smoothed: NDArray[np.floating]  # [T] under the protocol's median filter: what is judged
    labels: NDArray[np.bool_]  # [T] whether somebody sings


def pooled(curves: Iterable[Curve]) -> tuple[NDArray[np.floating], NDArray[np.bool_]]:
    """Smoothed probabilities and labels of all frames of all recordings, each recording filtered by itself."""
    smoothed, labels = zip(*((curve.smoothed, curve.labels) for curve in curves), strict=True)
    return np.concatenate(smoothed), np.concatenate(labels)


def smooth(probability: NDArray[np.floating]) -> NDArray[np.floating]:
    """`[T]` probabilities under the protocol's median filter: 56 frames, ends repeated."""
    return np.asarray(median_filter(probability, MEDIAN_FRAMES, mode="nearest"))


@dataclass(frozen=True, slots=True)
class Scores:
    """Frame-wise scores at one threshold; error is 1 - accuracy."""

    precision: float
    recall: float
    specificity: float
    f1: float
    error: float


def scores(probability: NDArray[np.floating], labels: NDArray[np.bool_], threshold: float) -> Scores:
    """Scores of `[T]` probabilities against `[T]` labels; a ratio without a denominator is NaN."""
    called = is_vocal(probability, threshold)
    hit, miss = float((called & labels).sum()), float((~called & labels).sum())
    alarm, rest = float((called & ~labels).sum()), float((~called & ~labels).sum())
    precision, recall = _ratio(hit, hit + alarm), _ratio(hit, hit + miss)
    return Scores(
        precision,
        recall,
        specificity=_ratio(rest, rest + alarm),
        f1=_ratio(2 * hit, 2 * hit + alarm + miss),
        error=_ratio(alarm + miss, float(len(labels))),
    )


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def best_threshold(
    tracks: Iterable[tuple[NDArray[np.floating], NDArray[np.bool_]]],
    weights: Sequence[NDArray[np.floating]] | None = None,
) -> float:
    """The threshold of the protocol's grid with the best accuracy over all frames of `(probability, labels)` pairs.

    Probabilities are smoothed first; of equally good thresholds the one nearest the middle of their run is taken.
    `weights` say how much each frame of each pair counts; without them, as in the protocol, all count alike.
    """
    pairs = [(smooth(probability), labels) for probability, labels in tracks]
    probability, labels = (np.concatenate(arrays) for arrays in zip(*pairs, strict=True))
    share = None if weights is None else np.concatenate(weights)
    accuracy = np.array([np.average(is_vocal(probability, each) == labels, weights=share) for each in THRESHOLDS])
    best = np.flatnonzero(accuracy >= accuracy.max() - ROUNDING)
    return THRESHOLDS[int(best[len(best) // 2])]


def auc(probability: NDArray[np.floating], labels: NDArray[np.bool_]) -> float | None:
    """Area under the ROC curve: the chance that a sung frame outranks another; None where one class is absent."""
    sung = int(labels.sum())
    if sung in (0, len(labels)):
        return None
    _, rank_of, counts = np.unique(probability, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2)[rank_of]  # ties share their mean rank
    return float((ranks[labels].sum() - sung * (sung + 1) / 2) / (sung * (len(labels) - sung)))


def roc(
    probability: NDArray[np.floating], labels: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rates `[K]` of false alarms and of hits at every distinct probability, from (0, 0) to (1, 1).

    Both classes must be present.
    """
    order = np.argsort(-probability, kind="stable")
    last = np.flatnonzero(np.append(np.diff(probability[order]) != 0, True))  # ties are called together
    hits = np.cumsum(labels[order])[last]
    alarms = last + 1 - hits
    return np.append(0, alarms) / alarms[-1], np.append(0, hits) / hits[-1]
