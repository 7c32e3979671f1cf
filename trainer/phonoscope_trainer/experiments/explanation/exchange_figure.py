"""The figure of the exchange experiment: for each corpus what must be high, what must be low, and what is beside."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from phonoscope_trainer.experiments.trust.interval_bars import draw_bars

DPI = 120
HIGH, LOW = ("carried", "removed_flips"), ("silhouette", "baseline_called", "voice_muted", "accompaniment_alone")


def draw(document: Mapping[str, Any], path: Path) -> None:
    """Vocal answers above: the default rule and its controls; below, `carried` by every rule and baseline."""
    corpora = document["corpora"]
    figure = Figure((4.6 * len(corpora), 6.4), layout="constrained")
    for number, (name, found) in enumerate(corpora.items(), 1):
        upper = figure.add_subplot(2, len(corpora), number)
        controls = {f"control: {each}": score for each, score in found["controls"].items()}
        draw_bars(upper, {each: found[each] for each in (*HIGH, *LOW) if each in found} | controls, HIGH)
        upper.set(title=f"{name}: {found['n']} answers, area {found['area']:.2f}", xlim=(0, 1))
        if not document["rules"][name]:
            continue  # the default alone was judged
        lower = figure.add_subplot(2, len(corpora), len(corpora) + number)
        draw_bars(lower, {rule: each["carried"] for rule, each in document["rules"][name].items()}, (document["rule"],))
        lower.set(title="carried, at the same area", xlim=(0, 1))
    figure.savefig(path, dpi=DPI)
