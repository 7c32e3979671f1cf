"""A curve as one HTML file with the recording's player."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phonoscope_client.files import printable
from phonoscope_client.reports.figures import Player, Plot, data_uri
from phonoscope_client.reports.page import page
from phonoscope_client.reports.pictures import Tick, time_ticks
from phonoscope_client.results.curve import Curve
from phonoscope_client.results.parts import VOCAL, Floats
from phonoscope_client.results.passages import Passage, vocal_passages
from phonoscope_client.results.wording import clock, percent, spoken_of

MAX_COLUMNS = 1000  # about as many as a screen has pixels for
MAX_PLAYER_BYTES = 48 * 2**20  # a browser takes long to open more
WIDTH = 1000  # of the drawing, in its own units, likewise below
CURVE_HEIGHT = 100  # from a probability of 0 to one of 1
HEIGHT = 110  # with the strip of passages below the curve


@dataclass(frozen=True)
class _Line:
    """The drawing of a curve, in SVG's words.

    Attributes:
        range: points around the lowest and highest probabilities.
        mean: points along the mean ones.
        threshold: how far below the top the threshold lies.
        passages: left end and width of each passage.
    """

    range: str
    mean: str
    threshold: str
    passages: list[tuple[str, str]]
    width: int = WIDTH
    height: int = HEIGHT


def curve_page(curve: Curve, *, song: Path) -> str:
    """The report of one curve, with the recording inside it where it is at most 48 MiB.

    Args:
        curve: of the whole recording.
        song: the recording's file.
    """
    passages = vocal_passages(curve)
    axes = _axes(curve, passages)
    return page(
        "curve",
        title=f"{printable(song.name)}: {_where(curve)}",
        heading=printable(song.name),
        span_s=curve.duration_s,
        provenance=[
            ("Bundle", curve.bundle.name),
            ("Digest (SHA-256)", curve.bundle.digest),
            ("Listener", curve.listener),
            ("Label", curve.label),
            ("Threshold", f"{curve.threshold:g}" if curve.threshold else "none: the most probable label is the answer"),
            ("Frames", f"{len(curve.probability)}, {curve.frames_per_second:g} a second"),
        ],
        warnings=curve.warnings,
        curve=curve,
        axes=axes,
        unit="minutes and seconds" if any(":" in tick.text for tick in axes.x) else "seconds",
        line=_line(curve, passages),
        recording=_recording(song),
        passages=passages,
    )


def _where(curve: Curve) -> str:
    return "where somebody sings" if curve.label == VOCAL else f"where it is {curve.label}"


def columns(probability: Floats, most: int = MAX_COLUMNS) -> tuple[Floats, Floats, Floats]:
    """Lowest, mean and highest probability of at most `most` stretches of equal length but for one frame."""
    starts = np.linspace(0, len(probability), min(most, len(probability)), endpoint=False).astype(np.intp)
    lengths = np.diff(np.append(starts, len(probability)))
    mean = np.add.reduceat(probability, starts, dtype=np.float64) / lengths
    return (
        np.minimum.reduceat(probability, starts),
        mean.astype(np.float32),
        np.maximum.reduceat(probability, starts),
    )


def _axes(curve: Curve, passages: list[Passage]) -> Plot:
    description = (
        f"Probability of {spoken_of(curve.label)} over {clock(curve.duration_s)}; "
        f"{percent(curve.vocal_share)} of the frames are {curve.label}, in {len(passages)} passages listed below."
    )
    strip = HEIGHT - CURVE_HEIGHT
    y = [Tick((strip + CURVE_HEIGHT * value) / HEIGHT, f"{value:g}") for value in (0, 0.25, 0.5, 0.75, 1)]
    return Plot(description, time_ticks(0, curve.duration_s), y)


def _line(curve: Curve, passages: list[Passage]) -> _Line:
    low, mean, high = columns(curve.probability)
    across = (np.arange(len(mean)) + 0.5) / len(mean) * WIDTH
    per_second = WIDTH / curve.duration_s
    return _Line(
        range=_points([*zip(across, high, strict=True), *zip(across[::-1], low[::-1], strict=True)]),
        mean=_points(list(zip(across, mean, strict=True))),
        threshold=f"{CURVE_HEIGHT * (1 - curve.threshold):.2f}",
        passages=[
            (f"{per_second * each.start_s:.2f}", f"{per_second * (each.stop_s - each.start_s):.2f}")
            for each in passages
        ],
    )


def _points(places: list[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{CURVE_HEIGHT * (1 - y):.1f}" for x, y in places)


def _recording(song: Path) -> Player | None:
    """A player of the recording; None where its kind or size is not for a page."""
    mime_type, _ = mimetypes.guess_type(song.name)
    if mime_type is None or not mime_type.startswith("audio/") or song.stat().st_size > MAX_PLAYER_BYTES:
        return None
    return Player("The recording", data_uri(mime_type, song.read_bytes()))
