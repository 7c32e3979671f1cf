"""A curve as one HTML file with the recording's player."""

from __future__ import annotations

import mimetypes
from html import escape
from pathlib import Path

import numpy as np

from phonoscope_client.reports.page import facts, page, player, plot
from phonoscope_client.reports.pictures import Tick, time_ticks
from phonoscope_client.results.curve import Curve
from phonoscope_client.results.parts import Floats
from phonoscope_client.results.passages import Passage, vocal_passages
from phonoscope_client.results.wording import clock, percent

MAX_COLUMNS = 1000  # about as many as a screen has pixels for
MAX_PLAYER_BYTES = 48 * 2**20  # a browser takes long to open more


def curve_page(curve: Curve, *, song: Path) -> str:
    """The report of one curve, with the recording inside it where it is at most 48 MiB.

    Args:
        curve: of the whole recording.
        song: the recording's file.
    """
    passages = vocal_passages(curve)
    share = percent(curve.vocal_share)
    body = f"""<header>
<p class="kicker">Phonoscope: where does somebody sing?</p>
<h1>{escape(song.name)}</h1>
<p class="answer">Singing in <strong class="vocal">{share}</strong> of {clock(curve.duration_s)}.</p>
</header>
<section>
<h2>Probability that somebody sings</h2>
<p class="quiet">The line is the mean of the frames at each place, the pale band runs from their lowest to
their highest. At or above the dashed line, {curve.threshold:.2f}, a frame is called vocal. The strip below
marks the passages listed further down.</p>
{_plot(curve, passages)}
{_player(song)}
</section>
{_passages(passages)}
<section>
<h2>What made it</h2>
{_provenance(curve)}
</section>"""
    return page(f"{song.name}: where somebody sings", body, span_s=curve.duration_s)


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


def _plot(curve: Curve, passages: list[Passage]) -> str:
    low, mean, high = columns(curve.probability)
    across = (np.arange(len(mean)) + 0.5) / len(mean) * 1000
    band = [*zip(across, high, strict=True), *zip(across[::-1], low[::-1], strict=True)]
    strip = "".join(
        f'<rect class="sings" x="{1000 * each.start_s / curve.duration_s:.2f}" y="104" height="6" '
        f'width="{1000 * (each.stop_s - each.start_s) / curve.duration_s:.2f}"/>'
        for each in passages
    )
    threshold = 100 * (1 - curve.threshold)
    picture = (
        '<svg class="curve" viewBox="0 0 1000 110" preserveAspectRatio="none" aria-hidden="true">'
        f'<polygon class="range" points="{_points(band)}"/>'
        f'<polyline class="line" points="{_points(list(zip(across, mean, strict=True)))}"/>'
        f'<line class="threshold" x1="0" x2="1000" y1="{threshold:.2f}" y2="{threshold:.2f}"/>{strip}</svg>'
    )
    alt = (
        f"Probability of singing over {clock(curve.duration_s)}; "
        f"{percent(curve.vocal_share)} of the frames are vocal, in {len(passages)} passages listed below."
    )
    y = [Tick((10 + 100 * value) / 110, f"{value:g}") for value in (0, 0.25, 0.5, 0.75, 1)]
    x = time_ticks(0, curve.duration_s)
    unit = "minutes and seconds" if any(":" in tick.text for tick in x) else "seconds"
    return plot(picture, alt=alt, x=x, y=y, size="low", x_title=unit)


def _points(places: list[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{100 * (1 - y):.1f}" for x, y in places)


def _player(song: Path) -> str:
    mime_type, _ = mimetypes.guess_type(song.name)
    if mime_type is None or not mime_type.startswith("audio/") or song.stat().st_size > MAX_PLAYER_BYTES:
        return '<p class="quiet">No player: the recording is of a kind or size that this page does not hold.</p>'
    return f'<div class="players">{player("The recording", mime_type, song.read_bytes())}</div>'


def _passages(passages: list[Passage]) -> str:
    items = "".join(
        f'<li><button type="button" disabled data-seek-s="{each.start_s:.3f}">'
        f"{clock(each.start_s)} – {clock(each.stop_s)} "
        f'<span class="quiet">({each.stop_s - each.start_s:.1f} s)</span></button></li>'
        for each in passages
    )
    listed = f'<ul class="passages">{items}</ul>' if items else "<p>None.</p>"
    return f"""<section>
<h2>Passages with singing</h2>
<p class="quiet">Where most frames within 0.8 s are called vocal. Choose one to hear it.</p>
{listed}
</section>"""


def _provenance(curve: Curve) -> str:
    return facts(
        [
            ("Bundle", curve.bundle.name),
            ("Digest (SHA-256)", curve.bundle.digest),
            ("Threshold", f"{curve.threshold:g}"),
            ("Frames", f"{len(curve.probability)}, {curve.frames_per_second:g} a second"),
        ]
    )
