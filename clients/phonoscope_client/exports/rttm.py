"""Rich Transcription Time Marked (NIST RT-09), which tools for diarisation and voice activity read and score."""

from __future__ import annotations

from collections.abc import Mapping

from phonoscope_client.exports.words import corpus_label
from phonoscope_client.results.track import Track


def files(track: Track, song: str) -> Mapping[str, str]:
    """`track.rttm`: where the first of two labels is given, as where somebody sings; of more, every segment."""
    of_two = track.begun.labels[0] if track.begun.decision_threshold else None
    name = "_".join(song.split()) or "track"  # fields end with white space
    lines = [
        f"SPEAKER {name} 1 {each.start_s:.3f} {each.end_s - each.start_s:.3f} <NA> <NA> "
        f"{corpus_label(each.label)} {each.mean_confidence:.4f} <NA>\n"
        for each in track.summary.segments
        if of_two in (None, each.label)
    ]
    return {"track.rttm": "".join(lines)}
