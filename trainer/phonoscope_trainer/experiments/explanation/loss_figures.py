"""Figures of the explanation-loss experiment, after Fig. 3, 4 and 5 of the EUSIPCO paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.experiments.explanation.controls import CONTROLS
from phonoscope_trainer.experiments.explanation.detector import ExplainedDetector
from phonoscope_trainer.experiments.explanation.excerpts import Excerpts
from phonoscope_trainer.frontends.mel import CONTEXT_FRAMES, EXCERPT_FRAMES, FRONTEND, band_peaks_hz
from phonoscope_trainer.graphs.rules import ALPHAS

HERTZ_TICKS = (100, 500, 1000, 2000, 4000)
DPI = 120


def draw_curves(document: Mapping[str, Any], path: Path) -> None:
    """Fig. 5, and what it left out: loss over α beside controls of the same area, both classes alike; and the area."""
    corpora = document["paper"]
    figure = Figure((4.5 * len(corpora), 7), layout="constrained")
    columns = figure.subplots(2, len(corpora), sharex=True, sharey="row", squeeze=False).T
    for (upper, lower), (corpus, maskings) in zip(columns, corpora.items(), strict=True):
        for number, (name, points) in enumerate(maskings.items()):
            alphas = [point["alpha"] for point in points]
            loss = [point["loss"] for point in points]
            upper.plot(
                alphas, [each["mean"] for each in loss], "o-", color=f"C{number}", label=f"{name.upper()}, pooled"
            )
            upper.fill_between(
                alphas, [e["low"] for e in loss], [e["high"] for e in loss], color=f"C{number}", alpha=0.2, linewidth=0
            )
        _controls(upper, maskings["m1"])
        lower.plot(alphas, [point["area"] for point in points], "o-", color="0.3")
        chosen = document["default"][corpus]
        upper.set(title=corpus, ylabel="explanation loss", ylim=(0, 1))
        upper.text(
            0.02,
            0.98,
            f"default rule ({chosen['rule']}): {chosen['loss']['mean']:.2f} at area {chosen['area']:.2f}",
            transform=upper.transAxes,
            va="top",
        )
        lower.set(xlabel="α", ylabel="relative area", ylim=(0, 1.05))
    columns[0][0].legend(loc="center left", fontsize="small")
    figure.savefig(path, dpi=DPI)


def draw_examples(tracks: Sequence[Features], excerpts: Excerpts, detector: ExplainedDetector, path: Path) -> None:
    """Fig. 3 and 4: a non-vocal excerpt, a vocal one, and one in which singing begins or ends, by every rule."""
    rows = examples(tracks, excerpts)
    log_mel = excerpts.log_mel[list(rows.values())]
    with torch.inference_mode():
        relevances = detector.relevances(detector.standardise(log_mel))
    rules = [rule for rule in ("inversion", "gradient", "masker") if rule in relevances]
    figure = Figure((2.4 * (1 + 3 * len(rules)), 2.1 * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), 1 + 3 * len(rules), sharex=True, sharey=True, squeeze=False)
    for number, (title, line) in enumerate(zip(rows, grid, strict=True)):
        picture = brightness(log_mel[number])
        show_picture(line[0], picture, "input" if number == 0 else "")
        line[0].set_ylabel(f"{title}\nHz")
        for place, rule in enumerate(rules):
            relevance = relevances[rule][number].numpy()
            mask = relevance >= ALPHAS[rule]
            for offset, (name, shown) in enumerate(
                ((rule, relevance), ("mask", mask.astype(float)), ("explanation", picture * mask))
            ):
                show_picture(line[1 + 3 * place + offset], shown, name if number == 0 else "")
    for axes in grid[-1]:
        axes.set_xlabel("s")
    figure.savefig(path, dpi=DPI)


def examples(tracks: Sequence[Features], excerpts: Excerpts) -> dict[str, int]:
    """Rows of `excerpts` worth showing: the first of each class that the detector gets right, and a change of class."""
    labels = np.stack(
        [
            tracks[track].labels[first : first + EXCERPT_FRAMES]
            for track, first in zip(excerpts.track, excerpts.first_frame, strict=True)
        ]
    )
    right, changes = labels[:, CONTEXT_FRAMES] == excerpts.is_vocal, np.abs(np.diff(labels.astype(int))).sum(axis=1)
    wanted = {
        "non-vocal": right & ~excerpts.is_vocal & ~labels.any(axis=1),
        "vocal": right & excerpts.is_vocal & labels.all(axis=1),
        "both": right & excerpts.is_vocal & (changes == 1) & (labels.mean(axis=1) < 0.7),
    }
    found = {title: np.flatnonzero(which) for title, which in wanted.items()}
    return {title: int(which[0]) for title, which in found.items() if len(which)} or {"excerpt": 0}


def _controls(axes: Axes, points: Sequence[Mapping[str, Any]]) -> None:
    """Class-balanced M1 and its controls, which make up the comparison that pooling hides."""
    alphas = [point["alpha"] for point in points]
    balanced = [point["class_balanced"] for point in points]
    axes.plot(alphas, [each["loss"]["mean"] for each in balanced], "k-", linewidth=2, label="M1, class-balanced")
    axes.plot(alphas, [each["removed_flips"]["mean"] for each in balanced], "k:", label="label flips, region removed")
    for number, control in enumerate(CONTROLS):
        means = [each["controls"][control]["mean"] for each in balanced]
        axes.plot(alphas, means, "--", color=f"C{number + 3}", linewidth=1, label=control.replace("_", " "))


def show_picture(axes: Axes, picture: NDArray[np.floating[Any]], title: str) -> None:
    """Draw `picture` `[T, M]`, values from 0 to 1, over seconds and hertz."""
    extent = (0, EXCERPT_FRAMES / FRONTEND.frames_per_second, -0.5, FRONTEND.bands - 0.5)
    centres_hz = band_peaks_hz(FRONTEND)[1:-1]
    axes.imshow(picture.T, origin="lower", aspect="auto", extent=extent, vmin=0, vmax=1, cmap="magma")
    axes.set_yticks(np.interp(HERTZ_TICKS, centres_hz, np.arange(len(centres_hz))), [str(hz) for hz in HERTZ_TICKS])
    axes.set_title(title)


def brightness(log_mel: Tensor) -> NDArray[np.floating[Any]]:
    """`[T, M]` between 0 and 1, for display."""
    low, high = np.quantile(log_mel.numpy(), (0.02, 0.995))
    picture: NDArray[np.floating[Any]] = np.clip((log_mel.numpy() - low) / max(high - low, 1e-6), 0, 1)
    return picture
