"""Comma-separated values (RFC 4180), for spreadsheets and data frames: a row for each segment, and for each region."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from phonoscope_client.results.track import Track

SEGMENTS = ("start_s", "end_s", "label", "mean_confidence", "share_held", "held", "tried", "explained", "mean_doubt")
REGIONS = ("at_s", "label", "probability", "start_s", "end_s", "low_hz", "high_hz", "relative_area", "holds")


def files(track: Track, _: str) -> Mapping[str, str]:
    """`segments.csv` and `regions.csv`; of what is not known the field is empty."""
    segments = [_flat(each.to_json(), "trust") for each in track.summary.segments]
    regions = [_flat(each.to_json(track.begun), "region", "trust") for each in track.explanations]
    return {
        "segments.csv": _table(SEGMENTS, ([each.get(name) for name in SEGMENTS] for each in segments)),
        "regions.csv": _table(REGIONS, ([each.get(name) for name in REGIONS] for each in regions)),
    }


def _flat(said: dict[str, Any], *nested: str) -> dict[str, Any]:
    """What is said, with what is nested in it beside the rest."""
    return said | {name: value for each in nested for name, value in (said[each] or {}).items()}


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(header)
    writer.writerows([round(each, 6) if isinstance(each, float) else each for each in row] for row in rows)
    return file.getvalue()
