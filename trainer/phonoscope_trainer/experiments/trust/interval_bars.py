"""Bars with intervals, for scores of methods beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

OURS, OTHERS = "C0", "0.65"


def draw_bars(axes: Axes, scores: Mapping[str, Mapping[str, Any]], ours: Sequence[str]) -> None:
    """One horizontal bar a name, the first on top, with its `mean` and the interval from `low` to `high`.

    Args:
        axes: where.
        scores: name → `mean`, `low`, `high`; the last two may be None.
        ours: names in colour.
    """
    names = list(scores)
    means = np.array([scores[name]["mean"] for name in names])
    low, high = (
        np.array([scores[name]["mean"] if scores[name][end] is None else scores[name][end] for name in names])
        for end in ("low", "high")
    )
    colours = [OURS if name in ours else OTHERS for name in names]
    spread = np.maximum([means - low, high - means], 0)
    axes.barh([name.replace("_", " ") for name in names], means, xerr=spread, color=colours, capsize=2)
    axes.invert_yaxis()
