"""Figures of the experiments on stems, on peers and on randomisation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from phonoscope_trainer.experiments.trust.interval_bars import draw_bars
from phonoscope_trainer.experiments.trust.randomisation import STAGES
from phonoscope_trainer.experiments.trust.stems import MEASURES

DPI = 120
OURS = ("masker", "gradient", "inversion")


def draw_stems(document: Mapping[str, Any], path: Path) -> None:
    """Every measure of every name, over all corpora."""
    figure = Figure((4 * len(MEASURES), 3.6), layout="constrained")
    for axes, measure in zip(figure.subplots(1, len(MEASURES), sharey=True), MEASURES, strict=True):
        rules = {name: score for name, score in document[measure].items() if name != "default"}  # it is one of them
        draw_bars(axes, rules, OURS)
        axes.set(title=measure.replace("_", " "), xlim=(0, 1))
    figure.savefig(path, dpi=DPI)


def draw_peers(document: Mapping[str, Any], path: Path) -> None:
    """Labels lost with the region alone, labels lost without it, and seconds."""
    rows = dict(document["rules"])
    for name, row in document["peers"].items():
        rows |= {name: row, f"{name}, smoothed": row["smoothed"]}
    rows |= document["baselines"]
    figure = Figure((13, 0.32 * len(rows) + 1.4), layout="constrained")
    losses, flips, seconds = figure.subplots(1, 3)
    draw_bars(losses, {name: row["loss"] for name, row in rows.items()}, OURS)
    losses.set(title="explanation loss, class-balanced", xlim=(0, None))
    draw_bars(flips, {name: row["removed_flips"] for name, row in rows.items()}, OURS)
    flips.set(title="label flips, region removed", xlim=(0, 1))
    flips.set_yticks([])
    timed = {name: row["seconds"] for name, row in rows.items() if "seconds" in row}
    draw_bars(seconds, {name: dict.fromkeys(("mean", "low", "high"), value) for name, value in timed.items()}, OURS)
    seconds.set(title="seconds an explanation", xscale="log")
    figure.savefig(path, dpi=DPI)


def draw_sanity(document: Mapping[str, Any], path: Path) -> None:
    """Likeness to the trained detector's explanations, stage by stage, and what harmless changes leave."""
    figure = Figure((13, 3.8), layout="constrained")
    ranks, structure, stable = figure.subplots(1, 3)
    for axes, measure in ((ranks, "rank_correlation"), (structure, "structural_similarity")):
        for rule, stages in document["randomisation"].items():
            scores = [stages[stage][measure] for stage in STAGES]
            axes.plot(STAGES, [score["mean"] for score in scores], "o-", label=rule)
            low, high = (np.array([s[side] for s in scores], float) for side in ("low", "high"))  # None: one track
            axes.fill_between(STAGES, low, high, alpha=0.2, linewidth=0)
        axes.set(title=measure.replace("_", " "), xlabel="untrained down to", ylim=(-0.05, 1.05))
        axes.legend()
    bars = {
        f"{rule}, {change}": values["overlap"]
        for rule, changes in document["stability"].items()
        for change, values in changes.items()
    }
    draw_bars(stable, bars, ())
    stable.set(title="overlap of regions after", xlim=(0, 1))
    figure.savefig(path, dpi=DPI)
