"""Figures of the maximisation experiment, after Fig. 3 and Fig. 4 of the 2019 paper, and where all settings lie."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from phonoscope_trainer.experiments.maximisation.examples import SHOWN, Examples
from phonoscope_trainer.frontends.mel import EXCERPT_FRAMES, FRONTEND, band_peaks_hz
from phonoscope_trainer.recipes.maximisation.search import Tried

HERTZ_TICKS = (100, 500, 1000, 2000, 4000)
DPI = 120
SETTINGS_SHOWN = 2  # z of Fig. 3


def draw_settings(initial: Tensor, tried: Mapping[str, Tried], log_mels: Mapping[str, Tensor], path: Path) -> None:
    """Fig. 3: two z, initial and after the best, median and worst setting, each picture on its own colour scale.

    Args:
        initial: `[N, 115, 80]` log-mels, of which the first two are shown.
        tried: name of a setting → the setting.
        log_mels: the same names → `[N, 115, 80]`, from the same z.
        path: of the picture.
    """
    columns = {"initial": initial, **log_mels}
    figure = Figure((3.2 * len(columns), 2.2 * SETTINGS_SHOWN), layout="constrained")
    grid = figure.subplots(SETTINGS_SHOWN, len(columns), sharex=True, sharey=True)
    for number, (name, pictures) in enumerate(columns.items()):
        title = name
        if name in tried:
            row = tried[name].row()
            title = f"{name}: FID {row['fid']:.3g}\nlr {row['lr']:g}, λ {row['prior_weight']:g}, {row['steps']} steps"
        grid[0][number].set_title(title, fontsize="small")
        for row_number, picture in enumerate(pictures[:SETTINGS_SHOWN]):
            _show(grid[row_number][number], picture)
    figure.savefig(path, dpi=DPI)


def draw_examples(found: Mapping[str, Examples], path: Path, count: int = SHOWN) -> None:
    """Fig. 4: what the same z become, initial, maximised, minimised and without a prior, with their responses."""
    count = min(count, len(found["initial"].responses))
    figure = Figure((2.6 * count, 2.1 * len(found)), layout="constrained")
    grid = figure.subplots(len(found), count, sharex=True, sharey=True, squeeze=False)
    for line, (name, examples) in zip(grid, found.items(), strict=True):
        line[0].set_ylabel(f"{name.replace('_', ' ')}\nHz")
        for number, axes in enumerate(line):
            _show(axes, examples.log_mel[number])
            axes.set_title(f"response {examples.responses[number]:.2f}", fontsize="small")
    figure.savefig(path, dpi=DPI)


def draw_grid(document: Mapping[str, Any], path: Path) -> None:
    """Mean and deviation of the responses of every setting, beside those of the real excerpts it should be like."""
    rows = sorted(document["grid"], key=lambda row: row["fid"])
    figure = Figure((11, 4.5), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(rows))
    axes.errorbar(places, [r["mean"] for r in rows], [r["std"] for r in rows], fmt="o", capsize=3)
    middle, spread = document["top50_mean"], document["top50_std"]
    axes.axhspan(middle - spread, middle + spread, color="C1", alpha=0.3, label="real excerpts, mean ± deviation")
    labels = [f"{r['lr']:g} {r['prior_weight']:g} {r['steps']}\n{r['fid']:.3g}" for r in rows]
    axes.set_xticks(places, labels, rotation=90, fontsize="x-small")
    axes.set_yscale("symlog", linthresh=10)
    axes.set(ylabel=f"response: {document['response']}", xlabel="learning rate, λ, steps; FID")
    axes.legend()
    figure.savefig(path, dpi=DPI)


def _show(axes: Axes, log_mel: Tensor) -> None:
    picture = log_mel.numpy()
    low, high = np.quantile(picture, (0.02, 0.995))
    extent = (0, EXCERPT_FRAMES / FRONTEND.frames_per_second, -0.5, FRONTEND.bands - 0.5)
    axes.imshow(picture.T, origin="lower", aspect="auto", extent=extent, vmin=low, vmax=high, cmap="magma")
    centres_hz = band_peaks_hz(FRONTEND)[1:-1]
    ticks = np.interp(HERTZ_TICKS, centres_hz, np.arange(len(centres_hz)))
    axes.set_yticks(ticks, [str(hz) for hz in HERTZ_TICKS])
