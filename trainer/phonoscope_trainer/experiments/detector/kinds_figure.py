"""The figure of the kinds: errors, and what is found, side by side with a peer's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

SIZE_INCHES = (9.0, 3.6)
BAR = 0.38  # of the room of a kind


def draw(document: Mapping[str, Any], path: Path) -> None:
    """Write the panels `error` and `found` to `path`; nothing where the document tells no kinds apart."""
    rows = document.get("kinds")
    if not rows:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    figure = Figure(SIZE_INCHES, layout="constrained")
    error, found = figure.subplots(1, 2)
    peer = document.get("peer", {}).get("name")
    _bars(error, rows, "mean_error", peer)
    error.set(ylabel="mean error over recordings")
    error.legend()
    _bars(found, {kind: row for kind, row in rows.items() if row["found"] is not None}, "found", peer)
    found.set(ylabel="sung frames called sung", ylim=(0, 1))
    figure.savefig(path, dpi=120)


def _bars(axes: Axes, rows: Mapping[str, Mapping[str, Any]], name: str, peer: str | None) -> None:
    at = np.arange(len(rows))
    axes.bar(at, [row[name] for row in rows.values()], BAR, color="C0", label="this detector")
    if peer:
        axes.bar(at + BAR, [row["peer"][name] for row in rows.values()], BAR, color="0.7", label=peer)
    axes.set_xticks(at + (BAR / 2 if peer else 0), list(rows))
    axes.grid(axis="y", color="0.92")
    axes.set_axisbelow(True)
