"""The accompaniment: who plays what, as General MIDI parts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from phonoscope_trainer.corpora.rendered.drums import PATTERNS, drum_notes
from phonoscope_trainer.corpora.rendered.form import Form, Section
from phonoscope_trainer.corpora.rendered.harmony import Chord
from phonoscope_trainer.corpora.rendered.melody import lead_notes
from phonoscope_trainer.corpora.rendered.notes import Note, Part
from phonoscope_trainer.corpora.rendered.styles import CHOIRS, PADS, STRINGS

# Hits of one bar as (beat, length in beats); "sustain" fills the bar.
RHYTHMS: dict[str, tuple[tuple[float, float], ...]] = {
    "quarters": ((0, 0.9), (1, 0.9), (2, 0.9), (3, 0.9)),
    "strum": ((0, 0.9), (1, 0.45), (1.5, 0.45), (2.5, 0.45), (3, 0.45), (3.5, 0.45)),
    "power": ((0, 1.4), (1.5, 0.9), (2.5, 1.4)),
    "chugs": tuple((i / 2, 0.3) for i in range(8)),
    "offbeat": ((0.5, 0.25), (1.5, 0.25), (2.5, 0.25), (3.5, 0.25)),
    "syncopated": ((0, 0.6), (0.75, 0.5), (1.5, 0.8), (2.75, 0.5), (3.5, 0.4)),
    "sixteenths": tuple((i / 4, 0.15) for i in (0, 2, 3, 5, 6, 8, 10, 11, 13, 14)),
    "stabs": ((0, 0.3), (1.75, 0.3), (3.5, 0.3)),
    "root": ((0, 3.8),),
    "halves": ((0, 1.8), (2, 1.8)),
    "eighths": tuple((i / 2, 0.45) for i in range(8)),
    "octaves": tuple((i / 2, 0.4) for i in range(8)),
    "eighth chords": tuple((i / 2, 0.42) for i in range(8)),
    "walking": ((0, 0.95), (1, 0.95), (2, 0.95), (3, 0.95)),
    "dub": ((0, 0.4), (0.75, 0.7), (2, 0.4), (2.5, 0.4), (3.25, 0.6)),
    "tumbao": ((0, 0.9), (1.5, 1.4), (3, 0.9)),
}
BROKEN_CHORDS = {"arpeggio": 0.5, "picking": 0.25, "montuno": 0.5}  # beats between notes


def arrange(rng: np.random.Generator, form: Form) -> list[Part]:
    """All instrumental parts of a song."""
    style = form.style
    parts: list[Part] = []
    fitting = [p for p in style.drums if (len(next(iter(PATTERNS[p].values()))) == 12) == (form.beats_per_bar == 3)]
    if fitting or (style.drums and form.beats_per_bar == 3):
        pattern = str(rng.choice(fitting or ["waltz"]))
        parts.append(Part("drums", int(rng.choice(style.drum_kits)), tuple(drum_notes(rng, form, pattern)), pattern))
    if style.bass and (style.drums or rng.random() < 0.5):
        pattern = str(rng.choice(style.bass_patterns))
        parts.append(_part(rng, form, "bass", int(rng.choice(style.bass)), pattern, _bass_bar))
    fewest, most = min(1, len(style.comping)), min(4, len(style.comping))
    players = rng.permutation(len(style.comping))[: int(rng.integers(fewest, most + 1))]
    for player in players:
        programs, patterns = style.comping[player]
        program, pattern = int(rng.choice(programs)), str(rng.choice(patterns))
        role = "pad" if program in (*PADS, *STRINGS) else "comping"
        parts.append(_part(rng, form, role, program, pattern, _chord_bar))
    if style.comping and rng.random() < 0.16:
        program = int(rng.choice(CHOIRS))
        parts.append(_part(rng, form, "choir", program, str(rng.choice(("sustain", "quarters", "halves"))), _chord_bar))
    return parts + _leads(rng, form)


def _leads(rng: np.random.Generator, form: Form) -> list[Part]:
    """Solo instruments in the sections that ask for one, and now and then beneath the singing."""
    parts = []
    for role, programs in (("lead", form.style.leads), ("choir", CHOIRS)):
        if role == "choir" and rng.random() > 0.12:
            continue
        program, centre = int(rng.choice(programs)), float(rng.uniform(58, 79))
        density, fills = float(rng.uniform(0.8, 2.4)), rng.random() < 0.25
        notes: list[Note] = []
        for section in form.sections:
            plays = section.lead and (form.style.instrumental or rng.random() < 0.9)
            if plays or (section.band and fills and rng.random() < 0.4):
                notes += lead_notes(rng, form, section, centre, density)
        if notes:
            parts.append(Part(role, program, tuple(notes), "melody"))
    return parts


BarWriter = Callable[[np.random.Generator, Form, str, Chord, float, int], list[Note]]


def _part(rng: np.random.Generator, form: Form, role: str, program: int, pattern: str, write_bar: BarWriter) -> Part:
    """A part written bar by bar; players sit out some of the quieter sections."""
    notes: list[Note] = []
    lowest = int(rng.integers(50, 62)) if write_bar is _chord_bar else int(rng.integers(28, 34))
    absent = float(rng.uniform(0, 0.35)) if role != "bass" else 0.12
    for section in form.sections:
        if not section.band or (section.kind not in {"chorus", "solo"} and rng.random() < absent):
            continue
        notes += _section_notes(rng, form, section, pattern, write_bar, lowest)
    return Part(role, program, tuple(notes), pattern)


def _section_notes(
    rng: np.random.Generator, form: Form, section: Section, pattern: str, write_bar: BarWriter, lowest: int
) -> list[Note]:
    notes: list[Note] = []
    for bar, chord in enumerate(section.chords):
        start = section.start_beat + bar * form.beats_per_bar
        written = write_bar(rng, form, pattern, chord, start, lowest)
        notes += [note for note in written if note.start_beat < start + form.beats_per_bar]
    return notes


def _bass_bar(
    rng: np.random.Generator, form: Form, pattern: str, chord: Chord, start: float, lowest: int
) -> list[Note]:
    root = chord.root(form.key, lowest)
    hits = ((0.5, 0.4), (1.5, 0.4), (2.5, 0.4), (3.5, 0.4)) if pattern == "offbeat" else RHYTHMS[pattern]
    notes = []
    for position, (beat, length) in enumerate(hits):
        pitch = root
        if pattern == "octaves" and position % 2:
            pitch += 12
        elif pattern in {"walking", "tumbao", "dub", "syncopated"} and position:
            pitch = form.key.pitch(chord.degree + int(rng.choice((0, 2, 4, 4, 7, 1)))) - form.key.pitch(chord.degree)
            pitch += root
        notes.append(Note(start + beat, length, pitch, int(rng.integers(84, 112))))
    return notes


def _chord_bar(
    rng: np.random.Generator, form: Form, pattern: str, chord: Chord, start: float, lowest: int
) -> list[Note]:
    pitches = chord.voicing(form.key, lowest)
    if pattern in BROKEN_CHORDS:
        return _broken_chord(rng, form, pattern, pitches, start)
    if pattern in {"power", "chugs"}:
        root = chord.root(form.key, 40)
        pitches = (root, root + 7, root + 12) if pattern == "power" else (root, root + 7)
    hits = RHYTHMS.get(pattern, ((0, form.beats_per_bar * 0.98),))
    spread = float(rng.uniform(0.0, 0.035))  # a strum is not simultaneous
    notes = []
    for beat, length in hits:
        loudness = int(rng.integers(70, 108)) + (8 if beat == 0 else 0)
        notes += [Note(start + beat + i * spread, length, pitch, loudness) for i, pitch in enumerate(pitches)]
    return notes


def _broken_chord(
    rng: np.random.Generator, form: Form, pattern: str, pitches: tuple[int, ...], start: float
) -> list[Note]:
    interval = BROKEN_CHORDS[pattern]
    ladder = (*pitches, pitches[0] + 12) if pattern != "montuno" else (pitches[0], pitches[-1], pitches[0] + 12)
    order = [*ladder, *ladder[-2:0:-1]]
    return [
        Note(start + i * interval, 1.2 * interval, order[i % len(order)], int(rng.integers(70, 105)))
        for i in range(int(form.beats_per_bar / interval))
    ]
