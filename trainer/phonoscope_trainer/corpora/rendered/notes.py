"""Notes and instrumental parts, in beats."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Note:
    """A note of `beats` length; `pitch` is a MIDI key, `velocity` 1 to 127."""

    start_beat: float
    beats: float
    pitch: int
    velocity: int


@dataclass(frozen=True, slots=True)
class Part:
    """What one player plays; `role` decides its level and effects."""

    role: str  # drums, bass, comping, pad, lead or choir
    program: int  # General MIDI program, from 0; for drums the kit
    notes: tuple[Note, ...]
    pattern: str
