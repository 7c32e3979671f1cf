"""Pictures of an adopted listener: what its explanations are worth, and what some of them look like."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from phonoscope_trainer.experiments.adopted.shipped import ShippedListener
from phonoscope_trainer.experiments.trust.interval_bars import draw_bars
from phonoscope_trainer.recipes.label_masker.excerpts import Matches
from phonoscope_trainer.recipes.listened import Listened

DPI, EXAMPLES_DPI = 110, 64  # the examples are small enough for a document
HIGH = ("carried", "removed_flips")
BESIDE = ("silhouette", "baseline_called")
EXAMPLES = 3  # labels, the first that are judged
DARKEST_NEPER = 7.0  # below the loudest bin


def draw(document: Mapping[str, Any], path: Path) -> None:
    """The default rule and its controls; below, what every rule's regions carry."""
    figure = Figure((6, 5.4), layout="constrained")
    upper, lower = figure.subplots(2, 1)
    found = document["default"]
    bars = {name: found[name] for name in (*HIGH, *BESIDE)}
    bars |= {f"control: {name}": score for name, score in found["controls"].items()}
    draw_bars(upper, bars, HIGH)
    title = f"{document['listener']}, {found['rule']}: {found['n']} answers of {document['tags']} labels"
    upper.set(title=f"{title}, area {found['area']:.2f}", xlim=(0, 1))
    draw_bars(lower, {rule: each["carried"] for rule, each in document["rules"].items()}, (found["rule"],))
    lower.set(title="carried, at the same area", xlim=(0, 1))
    figure.savefig(path, dpi=DPI)


def draw_examples(shipped: ShippedListener, listened: Listened, matches: Matches, path: Path) -> None:
    """An excerpt of each of some labels, and the region of every rule: the first that was drawn, not chosen."""
    labels = list(dict.fromkeys(matches.label.tolist()))[:EXAMPLES]
    rows = [int(np.flatnonzero(matches.label == label)[0]) for label in labels]
    figure = Figure((2.3 * (1 + len(shipped.rules)), 1.9 * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), 1 + len(shipped.rules), sharex=True, sharey=True, squeeze=False)
    parameters, frames = shipped.listener.parameters, shipped.listener.frames
    seconds = frames * parameters.hop_samples / parameters.sample_rate_hz
    for number, (line, row, label) in enumerate(zip(grid, rows, labels, strict=True)):
        log_mel = listened.log_mel[[matches.row[row]]]
        bright = ((log_mel - log_mel.max()) / DARKEST_NEPER + 1).clamp(0, 1)
        pictures = {"excerpt": bright}
        for rule, alpha in shipped.alphas.items():
            relevance = shipped.relevance(rule, log_mel, torch.tensor([[label]], dtype=torch.int32))
            pictures[f"{rule}, α = {alpha:g}"] = bright * (relevance >= alpha)
        for axes, (title, shown) in zip(line, pictures.items(), strict=True):
            axes.imshow(
                shown[0].T.numpy(),
                origin="lower",
                aspect="auto",
                cmap="magma",
                vmin=0,
                vmax=1,
                extent=(0, seconds, 0, len(shown[0].T)),
            )
            axes.set_title(title if number == 0 else "", fontsize=9)
        line[0].set_ylabel(f"{shipped.listener.labels[label]}\nband")
    for axes in grid[-1]:
        axes.set_xlabel("s")
    figure.savefig(path, dpi=EXAMPLES_DPI)
