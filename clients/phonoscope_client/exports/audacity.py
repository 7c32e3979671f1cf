"""Audacity's labels (File, Import, Labels): segments, and regions with the frequencies that they span.

A line holds start, end and text; where a second one follows, which begins with a backslash, it holds the lowest and the
highest frequency of the selection. Each file becomes a label track of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

from phonoscope_client.exports.words import one_line, told
from phonoscope_client.results.track import Track
from phonoscope_client.results.wording import percent


def files(track: Track, _: str) -> Mapping[str, str]:
    """`audacity-segments.txt` and `audacity-regions.txt`; a region that is empty has no label."""
    segments = "".join(
        f"{each.start_s:.6f}\t{each.end_s:.6f}\t{one_line(each.label)} {percent(each.mean_confidence)}\n"
        for each in track.summary.segments
    )
    regions = ""
    for each in track.explanations:
        if (box := each.box(track.begun)) is not None:
            regions += f"{box.start_s:.6f}\t{box.end_s:.6f}\t{told(each)}\n\\\t{box.low_hz:.6f}\t{box.high_hz:.6f}\n"
    return {"audacity-segments.txt": segments, "audacity-regions.txt": regions}
