"""Draws how well doubt, and every other candidate, tells foreign sound and wrong answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

SHOWN = ("doubt", "foreign", "confidence", "misfit", "mahalanobis_fc7")


def draw(document: Mapping[str, Any], path: Path) -> None:
    """One row a kind of foreign sound, and one of wrong answers; a point a candidate."""
    rows = document["candidates"]
    shown = [name for name in SHOWN if name in rows]
    kinds = sorted(rows["doubt"]["foreign"], key=lambda kind: rows["doubt"]["foreign"][kind])
    figure, axes = plt.subplots(figsize=(7, 0.28 * len(kinds) + 1.8), layout="constrained")
    places = np.arange(len(kinds) + 1)
    for name in shown:
        values = [rows[name]["auroc_wrong"], *(rows[name]["foreign"][kind] for kind in kinds)]
        axes.plot(values, places, "o" if name == "doubt" else ".", label=name.replace("_", " "))
    axes.axvline(0.5, color="0.7", linewidth=0.8)
    axes.set_yticks(places, ["wrong answers", *kinds])
    axes.set_xlabel("chance of more doubt than music, or than a right answer")
    axes.set_xlim(0, 1.01)
    axes.legend(fontsize="small", loc="lower left")
    figure.savefig(path, dpi=150)
    plt.close(figure)
