"""`.lab` files, as corpora of singing have them and `phonoscope-train` reads them: start, end and label a line."""

from __future__ import annotations

from collections.abc import Mapping

from phonoscope_client.exports.words import corpus_label
from phonoscope_client.results.track import Track


def files(track: Track, _: str) -> Mapping[str, str]:
    """`track.lab`, in seconds; `sing` and `nosing` for the answers of a detector of singing."""
    lines = [f"{each.start_s:.6f} {each.end_s:.6f} {corpus_label(each.label)}\n" for each in track.summary.segments]
    return {"track.lab": "".join(lines)}
