"""The detector experiment for a person at a terminal: a line a song, all frames with their intervals, a line a kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

COLUMNS = ("auc", "precision", "recall", "specificity", "f1", "error")
NAME_WIDTH = 40


def table(document: Mapping[str, Any]) -> str:
    """The document of `detector.summary` as lines of text."""
    head = f"{'':{NAME_WIDTH}}  length  sung" + "".join(f"  {name:>11}" for name in COLUMNS)
    songs = [_song(row) for row in document["songs"]]
    frames = _line("all frames, pooled", "", "", [_number(document["pooled"][name]) for name in COLUMNS])
    interval = document["interval"]
    bounds = [_bounds(interval.get(name)) for name in COLUMNS]
    sure = _line(f"{interval['level']:.0%} of {interval['resamples']} draws of songs", "", "", bounds)
    foot = [
        *_kinds(document),
        f"mean over songs: AUC {_number(document['mean_auc'])}, error {_number(document['mean_error'])};"
        f" called sung where nobody sings: {_number(document['instrumental_false_rate'])}",
        f"threshold {document['threshold']:g} ({document.get('threshold_from', 'given')});"
        f" calibration error {document['calibration_error']:.3f}",
    ]
    return "\n".join([head, *songs, frames, sure, *foot])


def _kinds(document: Mapping[str, Any]) -> list[str]:
    """A line a kind of recording, ours beside the peer's where one was judged, then what no corpus holds."""
    kinds, lines = document.get("kinds", {}), []
    theirs = document.get("peer", {})
    if kinds:
        named = f"  {theirs['name']}: AUC, error, found" if theirs else ""
        lines.append(f"{'by kind':{NAME_WIDTH}}  recordings, groups: AUC, error, found{named}")
    for kind, row in kinds.items():
        peer = f"  {_of_kind(row['peer'])}" if theirs else ""
        lines.append(f"{kind:{NAME_WIDTH}}  {row['recordings']:>3}, {row['groups']:>3}: {_of_kind(row)}{peer}")
    for sound, row in document.get("unsung", {}).items():
        peer = f"  {theirs['name']}: {_number(row['peer'])}" if theirs else ""
        lines.append(f"{sound:{NAME_WIDTH}}  called sung {_number(row['called_sung'])}{peer}")
    if kinds:
        peer = f"; {theirs['name']}: {theirs['mean_error_over_kinds']:.3f}" if theirs else ""
        lines.append(f"mean error over kinds {document['mean_error_over_kinds']:.3f}{peer}")
    lines.append(f"worst group: {document['worst_group']}, error {document['worst_group_error']:.3f}")
    if theirs:
        means = ", ".join(_number(theirs[name]) for name in ("mean_auc", "mean_error", "instrumental_false_rate"))
        lines.append(f"{theirs['name']}, mean over songs: AUC, error, called sung where nobody sings: {means}")
    return lines


def _of_kind(row: Mapping[str, Any]) -> str:
    return "  ".join(f"{_number(row[name]):>5}" for name in ("mean_auc", "mean_error", "found"))


def _song(row: Mapping[str, Any]) -> str:
    minutes, seconds = divmod(round(row["seconds"]), 60)
    return _line(
        row["name"], f"{minutes}:{seconds:02d}", f"{row['sung_share']:.0%}", [_number(row[name]) for name in COLUMNS]
    )


def _line(name: str, length: str, sung: str, cells: Sequence[str]) -> str:
    fitting = name if len(name) <= NAME_WIDTH else f"{name[: NAME_WIDTH - 1]}…"
    return f"{fitting:{NAME_WIDTH}}  {length:>6}  {sung:>4}" + "".join(f"  {cell:>11}" for cell in cells)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _bounds(interval: Mapping[str, float] | None) -> str:
    return f"{interval['low']:.3f}–{interval['high']:.3f}" if interval else ""
