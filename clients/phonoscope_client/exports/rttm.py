"""Rich Transcription Time Marked (NIST RT-09), which tools for diarisation and voice activity read and score."""

from __future__ import annotations

from collections.abc import Mapping

from phonoscope_client.exports.words import corpus_label
from phonoscope_client.results.track import Track

SPOKEN = "vocal"  # what such tools call speech; the rest has no line


def files(track: Track, song: str) -> Mapping[str, str]:
    """`track.rttm`: where somebody sings; between its lines nobody does."""
    name = "_".join(song.split()) or "track"  # fields end with white space
    lines = [
        f"SPEAKER {name} 1 {each.start_s:.3f} {each.end_s - each.start_s:.3f} <NA> <NA> "
        f"{corpus_label(each.label)} {each.mean_confidence:.4f} <NA>\n"
        for each in track.summary.segments
        if each.label == SPOKEN
    ]
    return {"track.rttm": "".join(lines)}
