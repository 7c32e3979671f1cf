"""Figures of the inversion experiment, after the paper's Fig. 5 and Fig. 6, and the classes by frequency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from phonoscope_trainer.frontends.mel import EXCERPT_FRAMES, FRONTEND, band_peaks_hz
from phonoscope_trainer.networks.svdnet import LAYERS

HERTZ_TICKS = (100, 500, 1000, 2000, 4000)
DPI = 120


@dataclass(frozen=True, slots=True)
class Row:
    """One excerpt of Fig. 6."""

    title: str  # such as "rendered, vocal"
    excerpt: Tensor  # [T, M] log-mel
    inversions: Mapping[str, Tensor]  # layer → [T, M] log-mel


def draw_errors(document: Mapping[str, Any], path: Path) -> None:
    """Fig. 5: reconstruction error over layers, deepest first, for every corpus and method."""
    layers = [layer for layer in reversed(LAYERS) if any(layer in m["joint"] for m in document["nre"].values())]
    figure = Figure((8, 5), layout="constrained")
    axes = figure.subplots()
    for number, (corpus, methods) in enumerate(document["nre"].items()):
        for method, style in (("joint", "o-"), ("input", "s--"), ("linear", "x")):
            if method not in methods:
                continue
            shown = [layer for layer in layers if layer in methods[method]]
            rows = [methods[method][layer] for layer in shown]
            means = np.array([row["mean"] for row in rows])
            spread = np.array([[row["mean"] - row["low"], row["high"] - row["mean"]] for row in rows]).T
            axes.errorbar(
                shown,
                means,
                np.maximum(spread, 0),
                fmt=style,
                color=f"C{number}",
                capsize=3,
                label=f"{corpus}, {method}",
            )
        axes.axhline(document["mean_excerpt_baseline"][corpus], color=f"C{number}", linestyle=":", linewidth=1)
    axes.set(ylabel="normalised reconstruction error (dotted: the mean excerpt)", ylim=(0, None))
    axes.legend()
    figure.savefig(path, dpi=DPI)


def draw_inversions(rows: Sequence[Row], path: Path) -> None:
    """Fig. 6: excerpts and what successive layers keep of them, on the excerpt's own colour scale."""
    layers = [layer for layer in reversed(LAYERS) if layer in rows[0].inversions]
    figure = Figure((2 * (1 + len(layers)), 1.9 * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), 1 + len(layers), sharex=True, sharey=True, squeeze=False)
    centres_hz = band_peaks_hz(FRONTEND)[1:-1]
    ticks = np.interp(HERTZ_TICKS, centres_hz, np.arange(len(centres_hz)))
    extent = (0, EXCERPT_FRAMES / FRONTEND.frames_per_second, -0.5, FRONTEND.bands - 0.5)
    for row, line in zip(rows, grid, strict=True):
        low, high = np.quantile(row.excerpt.numpy(), (0.02, 0.995))
        pictures = {"input": row.excerpt} | {layer: row.inversions[layer] for layer in layers}
        for axes, (name, picture) in zip(line, pictures.items(), strict=True):
            axes.imshow(
                picture.numpy().T, origin="lower", aspect="auto", extent=extent, vmin=low, vmax=high, cmap="magma"
            )
            axes.set_yticks(ticks, [str(hz) for hz in HERTZ_TICKS])
            if row is rows[0]:
                axes.set_title(name)
            if row is rows[-1]:
                axes.set_xlabel("s")
        line[0].set_ylabel(f"{row.title}\nHz")
    figure.savefig(path, dpi=DPI)


def draw_classes(document: Mapping[str, Any], path: Path) -> None:
    """Sung minus other excerpts in every band: in the input, and in what FC7 and FC8 keep."""
    contrasts = {corpus: by for corpus, by in document["class_contrast"].items() if by.get("input")}
    if not contrasts:
        return
    figure = Figure((4.5 * len(contrasts), 3.5), layout="constrained")
    centres_hz = band_peaks_hz(FRONTEND)[1:-1]
    for axes, (corpus, by) in zip(figure.subplots(1, len(contrasts), squeeze=False)[0], contrasts.items(), strict=True):
        for name, contrast in by.items():
            label = f"{name}, AUC {contrast['auc_of_high_over_low']:.2f}"
            axes.plot(centres_hz, contrast["vocal_minus_non_vocal_by_band"], label=label)
        axes.axhline(0, color="0.8")
        axes.set(xscale="log", xlabel="Hz", ylabel="vocal minus non-vocal, standard deviations", title=corpus)
        axes.legend()
    figure.savefig(path, dpi=DPI)
