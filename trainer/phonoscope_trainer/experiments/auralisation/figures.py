"""Figures of the auralisation experiment: the paper's Fig. 9 and Fig. 10, and features that numbers found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from phonoscope_trainer.experiments.auralisation.model_signals import ATTRIBUTES, INSTRUMENTS
from phonoscope_trainer.frontends.linear import LINEAR_STFT

DPI = 100
RANGE_DB = 60.0
HIGHEST_HZ = 3000.0  # of the model signals' picture, as in Fig. 9


@dataclass(frozen=True, slots=True)
class Found:
    """A feature that fits a kind best, on one clip."""

    title: str  # such as "kick drum: conv3, 38"
    picture: NDArray[np.float32]  # [T, F], deconvolved


def draw_correlations(document: Mapping[str, Any], path: Path) -> None:
    """Fig. 10: mean correlation by layer with standard deviations; dotted: of the signals' own spectrograms."""
    layers = list(document["correlation"])
    figure = Figure((6.5, 4.2), layout="constrained")
    axes = figure.subplots()
    for number, attribute in enumerate(ATTRIBUTES):
        rows = [document["correlation"][layer][attribute] for layer in layers]
        at = np.arange(1, len(layers) + 1) + 0.06 * (number - 1)
        axes.errorbar(
            at, [row["mean"] for row in rows], [row["std"] for row in rows], fmt="o-", capsize=3, label=attribute
        )
        axes.axhline(document["input_correlation"][attribute]["mean"], color=f"C{number}", linestyle=":", linewidth=1)
    axes.set(
        xlabel="layer",
        ylabel="mean correlation of pairs",
        title="dotted: the signals' own spectrograms",
        ylim=(-0.2, 1),
    )
    axes.set_xticks(range(1, len(layers) + 1))
    axes.legend()
    figure.savefig(path, dpi=DPI)


def draw_signals(pictures: Mapping[str, NDArray[np.float32]], path: Path) -> None:
    """One model signal of each instrument, by its name: magnitudes `[T, F]`."""
    figure = Figure((14, 2.6), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(INSTRUMENTS), sharey=True), INSTRUMENTS, strict=True):
        _show(axes, pictures[name])
        axes.set(title=name, ylim=(0, HIGHEST_HZ), xlabel="s")
    figure.axes[0].set_ylabel("Hz")
    figure.savefig(path, dpi=DPI)


def draw_found(original: NDArray[np.float32], found: Sequence[Found], path: Path) -> None:
    """A clip `[T, F]` and what the features that fit each kind best hear of it."""
    columns = 4
    rows = -(-(1 + len(found)) // columns)
    figure = Figure((3 * columns, 2.3 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    everything = [Found("the clip", original), *found]
    for axes in grid.flat[len(everything) :]:
        axes.set_axis_off()
    for axes, each in zip(grid.flat, everything, strict=False):
        _show(axes, np.abs(each.picture))
        axes.set_title(each.title, fontsize="medium")
    for axes in grid[:, 0]:
        axes.set_ylabel("Hz")
    figure.savefig(path, dpi=DPI)


def _show(axes: Axes, magnitude: NDArray[np.float32]) -> None:
    decibels = 20 * np.log10(np.maximum(magnitude, 1e-9) / max(float(magnitude.max()), 1e-9))
    extent = (0.0, LINEAR_STFT.clip_s, 0.0, LINEAR_STFT.sample_rate_hz / 2)
    axes.imshow(decibels.T, origin="lower", aspect="auto", extent=extent, vmin=-RANGE_DB, vmax=0, cmap="magma")
