"""What is written alike in several formats."""

from __future__ import annotations

from phonoscope_client.results.track import TrackExplanation

_SOUNDS_LIKE = {"vocal": "sing", "instrumental": "nosing"}  # what the corpora of singing call them


def one_line(text: str) -> str:
    """Text without what would end a line or a field."""
    return " ".join(text.split())


def corpus_label(label: str) -> str:
    """A label as corpora of singing write it, `sing` or `nosing`; another as it is, without spaces."""
    return _SOUNDS_LIKE.get(label, "_".join(label.split()))


def told(explanation: TrackExplanation) -> str:
    """An explanation in a few words: its label, and whether it holds."""
    held = {True: "holds", False: "does not hold", None: "not tried"}[explanation.trust.holds]
    return one_line(f"{explanation.label}, {held}")
