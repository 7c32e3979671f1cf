"""Praat's TextGrid, in its long text format: a tier of segments, and one with a point for each explained moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from phonoscope_client.exports.words import told
from phonoscope_client.results.track import Segment, Track

_Interval = tuple[float, float, str]


def files(track: Track, _: str) -> Mapping[str, str]:
    """`track.TextGrid`; where there is no segment its interval is empty, as Praat wants tiers without gaps."""
    end_s = max([track.end_s, *(each.end_s for each in track.summary.segments)])
    segments = [*_filled(track.summary.segments, end_s)]
    moments = {f"{each.at_s:.6f}": told(each) for each in track.explanations}  # a tier has one point at a time
    lines = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
        f"xmax = {end_s:.6f}",
        "tiers? <exists>",
        "size = 2",
        "item []:",
        *_tier(1, "IntervalTier", "segments", end_s, "intervals", len(segments)),
    ]
    for number, (start, end, text) in enumerate(segments, start=1):
        lines += [f"        intervals [{number}]:", f"            xmin = {start:.6f}", f"            xmax = {end:.6f}"]
        lines += [f"            text = {_quoted(text)}"]
    lines += _tier(2, "TextTier", "explanations", end_s, "points", len(moments))
    for number, (at, text) in enumerate(moments.items(), start=1):
        lines += [f"        points [{number}]:", f"            number = {at}", f"            mark = {_quoted(text)}"]
    return {"track.TextGrid": "\n".join([*lines, ""])}


def _tier(number: int, kind: str, name: str, end_s: float, entries: str, count: int) -> list[str]:
    return [
        f"    item [{number}]:",
        f'        class = "{kind}"',
        f'        name = "{name}"',
        "        xmin = 0",
        f"        xmax = {end_s:.6f}",
        f"        {entries}: size = {count}",
    ]


def _filled(segments: Iterable[Segment], end_s: float) -> Iterator[_Interval]:
    """Segments as intervals from 0 to the end, empty ones in the gaps."""
    reached_s = 0.0
    for each in segments:
        if each.start_s > reached_s:
            yield reached_s, each.start_s, ""
        yield each.start_s, each.end_s, each.label
        reached_s = each.end_s
    if reached_s < end_s:
        yield reached_s, end_s, ""


def _quoted(text: str) -> str:
    return '"{}"'.format(" ".join(text.split()).replace('"', '""'))
