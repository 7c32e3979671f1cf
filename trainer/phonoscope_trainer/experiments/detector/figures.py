"""The two figures of the detector experiment: the ROC curve, and calibration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from phonoscope_trainer.measures.calibration import BINS, reliability
from phonoscope_trainer.measures.scores import Curve, auc, pooled, roc, scores

SIZE_INCHES = (5.0, 5.0)
POINTS = 2000  # of a drawn curve; no page shows more


def draw(curves: Sequence[Curve], threshold: float, folder: Path, stem: str) -> tuple[Path, ...]:
    """Write `STEM-roc.png` and `STEM-calibration.png` into `folder`; the files written.

    Where everything or nothing is sung there is no ROC curve.
    """
    folder.mkdir(parents=True, exist_ok=True)
    figures = {"calibration": _calibration(curves)}
    if auc(*pooled(curves)) is not None:
        figures["roc"] = _roc(curves, threshold)
    paths = {name: folder / f"{stem}-{name}.png" for name in figures}
    for name, figure in figures.items():
        figure.savefig(paths[name], dpi=120)
    return tuple(paths.values())


def _roc(curves: Sequence[Curve], threshold: float) -> Figure:
    """All frames as a line, each song as a thin one, the threshold as a point."""
    figure = Figure(SIZE_INCHES, layout="constrained")
    axes = figure.subplots()
    for curve in curves:
        if curve.labels.any() and not curve.labels.all():
            axes.plot(*_thinned(*roc(curve.smoothed, curve.labels)), color="0.8", linewidth=0.8)
    smoothed, labels = pooled(curves)
    found = scores(smoothed, labels, threshold)
    axes.plot(
        *_thinned(*roc(smoothed, labels)), color="C0", label=f"all frames, AUC {auc(smoothed, labels):.3f}; grey: songs"
    )
    axes.plot(1 - found.specificity, found.recall, "o", color="C3", label=f"threshold {threshold:g}")
    axes.set(xlabel="unsung frames called sung", ylabel="sung frames called sung", aspect="equal")
    axes.legend(loc="lower right")
    return figure


def _calibration(curves: Sequence[Curve]) -> Figure:
    """Share of sung frames over the probability they were given, and how many frames were given it."""
    meant = reliability(curves)
    figure = Figure(SIZE_INCHES, layout="constrained")
    axes, below = figure.subplots(2, height_ratios=(4, 1), sharex=True)
    axes.plot((0, 1), (0, 1), color="0.8")
    axes.plot(meant.predicted, meant.sung, "o-", color="C0", label=f"mean distance {meant.error:.3f}")
    axes.set(ylabel="share of them that is sung", ylim=(0, 1))
    axes.legend(loc="upper left")
    below.bar(meant.predicted, meant.frames / meant.frames.sum(), width=0.6 / BINS, color="C0")
    below.set(xlabel="probability given to frames", ylabel="frames", xlim=(0, 1))
    return figure


def _thinned(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """At most `POINTS` points of a curve, both ends among them."""
    kept = np.unique(np.linspace(0, len(x) - 1, POINTS).astype(int))
    return x[kept], y[kept]
