"""The shell of a report: one HTML file that needs nothing but itself."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from importlib.resources import files

from phonoscope_client.reports.pictures import Scale, Tick

# The browser itself then refuses whatever is not inside the file.
_POLICY = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def page(title: str, body: str, *, span_s: float) -> str:
    """A whole HTML document.

    Args:
        title: plain text.
        body: HTML.
        span_s: seconds the page's pictures span from left to right; its players' sound starts where they do.
    """
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
<style>
{_asset("page.css")}</style>
</head>
<body>
<main data-span-s="{span_s:.6f}">
{body}
</main>
<script>
{_asset("playhead.js")}</script>
</body>
</html>
"""


def plot(
    picture: str, *, alt: str, x: Sequence[Tick], y: Sequence[Tick], size: str = "", x_title: str = "seconds"
) -> str:
    """A picture with its axes, which stay legible at any width because they are text.

    Args:
        picture: HTML that fills the plot's area.
        alt: what the picture shows, for those who cannot see it.
        x: ticks below the picture.
        y: ticks to its left.
        size: a further CSS class.
        x_title: what the ticks below count.
    """
    columns = "".join(f'<span style="left:{tick.place:.4%}">{escape(tick.text)}</span>' for tick in x)
    rows = "".join(f'<span style="bottom:{tick.place:.4%}">{escape(tick.text)}</span>' for tick in y)
    return (
        f'<div class="plot {size}"><div class="rows" aria-hidden="true">{rows}</div>'
        f'<div class="area" role="img" aria-label="{escape(alt)}">{picture}<i class="playhead"></i></div>'
        f'<div class="columns" aria-hidden="true">{columns}</div>'
        f'<div class="axis-title" aria-hidden="true">{escape(x_title)}</div></div>'
    )


def image(png: bytes) -> str:
    """A picture, inside the page; the plot around it carries its description."""
    return f'<img alt="" src="{data_uri("image/png", png)}">'


def colour_bar(scale: Scale, low: str, high: str, title: str) -> str:
    """What a picture's colours stand for."""
    gradient = ", ".join(scale.gradient())
    return (
        f'<p class="colour-bar"><span>{escape(low)}</span>'
        f'<i style="background:linear-gradient(90deg, {gradient})"></i>'
        f"<span>{escape(high)}</span> <span>{escape(title)}</span></p>"
    )


def player(name: str, mime_type: str, data: bytes) -> str:
    """Controls for a sound, inside the page."""
    return (
        f'<figure class="player"><figcaption>{escape(name)}</figcaption><audio controls preload="auto" '
        f'aria-label="{escape(name)}" src="{data_uri(mime_type, data)}"></audio></figure>'
    )


def facts(rows: Sequence[tuple[str, str]]) -> str:
    """A list of terms and their values."""
    items = "".join(f"<div><dt>{escape(term)}</dt><dd>{escape(value)}</dd></div>" for term, value in rows)
    return f'<dl class="facts">{items}</dl>'


def data_uri(mime_type: str, data: bytes) -> str:
    """Bytes as an address that holds them."""
    return f"data:{mime_type};base64,{base64.b64encode(data).decode()}"


def _asset(name: str) -> str:
    return (files("phonoscope_client.reports") / "assets" / name).read_text(encoding="utf-8")
