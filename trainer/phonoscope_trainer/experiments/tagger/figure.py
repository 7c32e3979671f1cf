"""The confusion of a tagger's labels as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

DPI = 110


def draw(confusion: Mapping[str, Mapping[str, int]], title: str, path: Path) -> None:
    """Rows are the labels songs have, columns those the tagger gives; shades are shares of a row."""
    labels = list(confusion)
    counts = np.array([[confusion[row][column] for column in labels] for row in labels])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure((1.6 + 0.9 * len(labels), 1.2 + 0.9 * len(labels)), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        axes.text(
            column, row, str(count), ha="center", va="center", color="white" if shares[row, column] > 0.5 else "k"
        )
    axes.set(xlabel="given", ylabel="true", title=title)
    axes.set_xticks(range(len(labels)), labels)
    axes.set_yticks(range(len(labels)), labels)
    figure.savefig(path, dpi=DPI)
