"""The plan of a song: its sections in time, and who plays in each."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from phonoscope_trainer.corpora.rendered.harmony import Chord, Key, draw_key, draw_progression
from phonoscope_trainer.corpora.rendered.styles import STYLES, Style

# What may follow a section, with weights.
FOLLOWERS: dict[str, dict[str, float]] = {
    "intro": {"verse": 0.75, "chorus": 0.25},
    "verse": {"chorus": 0.6, "verse": 0.15, "solo": 0.15, "break": 0.1},
    "chorus": {"verse": 0.3, "solo": 0.3, "break": 0.2, "bridge": 0.2},
    "solo": {"chorus": 0.5, "verse": 0.4, "break": 0.1},
    "break": {"verse": 0.5, "chorus": 0.4, "solo": 0.1},
    "bridge": {"chorus": 0.6, "solo": 0.3, "break": 0.1},
}
BARS: dict[str, tuple[int, ...]] = {
    "intro": (2, 4, 4),
    "verse": (4, 8),
    "chorus": (4, 8),
    "solo": (4, 4, 8),
    "break": (2, 2, 4),
    "bridge": (4,),
}
SUNG = frozenset({"verse", "chorus", "bridge"})


@dataclass(frozen=True, slots=True)
class Section:
    """Some bars of a song; `chords` holds one chord a bar."""

    kind: str
    start_beat: float
    beats: float
    chords: tuple[Chord, ...]
    sung: bool
    band: bool  # whether the accompaniment plays
    lead: bool  # whether a solo instrument plays the melody


@dataclass(frozen=True, slots=True)
class Form:
    """A song's tempo, key and sections; beats count from 0."""

    style: Style
    tempo_bpm: float
    beats_per_bar: int
    swing: float  # delay of the off-beat eighth, in beats
    key: Key
    duration_s: float
    sections: tuple[Section, ...]

    def second(self, beat: float) -> float:
        """The time of a beat in seconds, swing included."""
        fraction = beat % 1.0
        delayed = fraction + self.swing * (1 - abs(2 * fraction - 1))
        return (math.floor(beat) + delayed) * 60 / self.tempo_bpm

    def chord_at(self, section: Section, beat: float) -> Chord:
        """The chord sounding at a beat of the song."""
        bar = int((beat - section.start_beat) // self.beats_per_bar)
        return section.chords[min(max(bar, 0), len(section.chords) - 1)]


def compose_form(rng: np.random.Generator, duration_s: float, style: Style | None = None) -> Form:
    """A form that fills `duration_s` seconds, in `style` or in one of `STYLES` drawn by weight."""
    if style is None:
        weights = np.array([style.weight for style in STYLES])
        style = STYLES[int(rng.choice(len(STYLES), p=weights / weights.sum()))]
    tempo_bpm = float(rng.uniform(*style.tempo_bpm))
    beats_per_bar = int(rng.choice(style.beats_per_bar))
    swing = float(rng.uniform(0.08, 0.17)) if rng.random() < style.swing else 0.0
    key = draw_key(rng, style.modes)
    bars = math.ceil(duration_s * tempo_bpm / 60 / beats_per_bar)
    sections = _sections(rng, style, key, bars, beats_per_bar)
    return Form(style, tempo_bpm, beats_per_bar, swing, key, duration_s, sections)


def _sections(rng: np.random.Generator, style: Style, key: Key, bars: int, beats_per_bar: int) -> tuple[Section, ...]:
    progressions = {kind: draw_progression(rng, key, style.sevenths) for kind in FOLLOWERS}
    instrumental_song = style.instrumental or rng.random() < 0.06
    unaccompanied_song = not instrumental_song and rng.random() < 0.04
    sections: list[Section] = []
    kind, bar = str(rng.choice(("intro", "verse", "chorus", "solo"), p=(0.5, 0.25, 0.15, 0.1))), 0
    while bar < bars:
        length = int(rng.choice(BARS[kind]))
        progression = progressions[kind]
        sung = kind in SUNG and not instrumental_song
        band = not unaccompanied_song and not (sung and rng.random() < 0.05)
        lead = not sung and band and (style.instrumental or kind == "solo" or rng.random() < 0.55)
        chords = tuple(progression[i % len(progression)] for i in range(length))
        start, beats = bar * beats_per_bar, length * beats_per_bar
        sections.append(Section(kind, start, beats, chords, sung, band, lead))
        bar += length
        followers = FOLLOWERS[kind]
        kind = str(rng.choice(list(followers), p=list(followers.values())))
    return tuple(sections)
