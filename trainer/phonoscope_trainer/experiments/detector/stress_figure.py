"""The figure of the stress tests: four panels, from the document that `stress.measure` gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

SIZE_INCHES = (11.0, 8.0)


def draw(document: Mapping[str, Any], path: Path) -> None:
    """Write the panels level, vibrato, patches, and voice and noise to `path`."""
    figure = Figure(SIZE_INCHES, layout="constrained")
    panels = figure.subplots(2, 2)
    _level(panels[0, 0], document["level"])
    _vibrato(panels[0, 1], document["vibrato"])
    _patches(panels[1, 0], document["patches"])
    _ratios(panels[1, 1], document["voice"], document["noise"])
    for panel in panels.flat:
        panel.grid(color="0.92")
        panel.set_axisbelow(True)
    figure.savefig(path, dpi=120)


def _level(axes: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    for name, title in (("auc", "AUC"), ("error", "error"), ("largest_change", "largest change of a probability")):
        axes.plot(_column(rows, "db"), _column(rows, name), "o-", label=title)
    axes.set(title="the whole recording louder or quieter", xlabel="change of level, dB", ylim=(0, 1.02))
    axes.legend()


def _vibrato(axes: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    for rate_hz in sorted({row["rate_hz"] for row in rows}):
        same = [row for row in rows if row["rate_hz"] == rate_hz]
        axes.plot(_column(same, "depth_semitones"), _column(same, "called_sung"), "o-", label=f"{rate_hz:g} Hz")
    axes.set(title="solo instruments with vibrato", xlabel="depth, ± semitones", ylabel="frames called sung")
    axes.set_ylim(0, 1.02)
    axes.legend()


def _patches(axes: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    axes.barh(_column(rows, "sound"), _column(rows, "called_sung"), color="C0")
    axes.invert_yaxis()
    axes.set(
        title="voice-like patches, speech, sirens, and the songs' stems", xlabel="frames called sung", xlim=(0, 1.02)
    )


def _ratios(axes: Axes, voice: Sequence[Mapping[str, Any]], noise: Sequence[Mapping[str, Any]]) -> None:
    axes.plot(_column(voice, "db"), _column(voice, "auc"), "o-", label="voice over accompaniment")
    for colour in sorted({row["colour"] for row in noise}):
        same = [row for row in noise if row["colour"] == colour]
        axes.plot(_column(same, "snr_db"), _column(same, "auc"), "o--", label=f"mixture over {colour} noise")
    axes.set(title="a voice that sinks, in music and in noise", xlabel="ratio, dB", ylabel="AUC", ylim=(0.4, 1.02))
    axes.legend()


def _column(rows: Iterable[Mapping[str, Any]], name: str) -> list[Any]:
    return [row[name] for row in rows]
