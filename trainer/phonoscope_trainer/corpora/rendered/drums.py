"""Drum patterns: one line a drum, sixteen steps a 4/4 bar (twelve in 3/4)."""

from __future__ import annotations

import numpy as np

from phonoscope_trainer.corpora.rendered.form import Form, Section
from phonoscope_trainer.corpora.rendered.notes import Note

# General MIDI percussion keys.
KICK, RIM, SNARE, CLAP, SNARE2, HAT, PEDAL, OPEN, CRASH, RIDE = 36, 37, 38, 39, 40, 42, 44, 46, 49, 51
LOW_TOM, MID_TOM, HIGH_TOM, TAMBOURINE, SHAKER, CLAVES, CONGA, LOW_CONGA = 41, 45, 48, 54, 82, 75, 63, 64
VELOCITIES = {"X": 118, "x": 96, "o": 58, ".": 0}

PATTERNS: dict[str, dict[int, str]] = {
    "rock": {KICK: "X.....x.X.......", SNARE: "....X.......X...", HAT: "x.o.x.o.x.o.x.o."},
    "rock half": {
        KICK: "X.....x...x.....", SNARE: "........X.......",
        CRASH: "x...............", RIDE: "x...x...x...x...",
    },
    "rock busy": {KICK: "X..x..x.X.x...x.", SNARE: "....X..o....X..o", OPEN: "x...x...x...x..."},
    "double kick": {
        KICK: "xxxxxxxxxxxxxxxx", SNARE: "....X.......X...",
        CRASH: "x.......x.......", RIDE: "x...x...x...x...",
    },
    "pop": {
        KICK: "X.......X.x.....", SNARE: "....X.......X...",
        HAT: "xoxoxoxoxoxoxoxo", CLAP: "....o.......o...",
    },
    "four": {
        KICK: "X...X...X...X...", CLAP: "....x.......x...",
        HAT: "..x...x...x...x.", TAMBOURINE: "..o...o...o...o.",
    },
    "four open": {
        KICK: "X...X...X...X...", SNARE: "....x.......x..o",
        OPEN: "..x...x...x...x.", HAT: "oooooooooooooooo",
    },
    "electro": {KICK: "X.....X.....X...", SNARE2: "....X.......X...", HAT: "x.xxx.xxx.xxx.xx"},
    "hip-hop": {KICK: "X..x......x..x..", SNARE: "....X.......X...", HAT: "x.x.x.x.x.x.x.xo"},
    "trap": {KICK: "X......x..X.....", CLAP: "........X.......", HAT: "x.x.xxx.x.x.xxxx"},
    "ballad": {KICK: "x.......x.......", RIM: "....x.......x...", HAT: "o...o...o...o..."},
    "slow ballad": {KICK: "x.............o.", RIM: "........x.......", RIDE: "o...o...o...o..."},
    "boom bap": {KICK: "X......X..X.....", SNARE: "....X.......X..o", HAT: "x.x.x.x.x.x.x.x."},
    "lazy hip-hop": {KICK: "X..x.......x....", SNARE: "....X.......X...", HAT: "x.xxx.x.x.xxx.x."},
    "half trap": {KICK: "X.....X....X....", CLAP: "........X.......", HAT: "xxxxx.xxxxxxx.xx"},
    "house": {KICK: "X...X...X...X...", CLAP: "....X.......X...", OPEN: "..x...x...x...x.", SHAKER: "oooooooooooooooo"},
    "reggae": {KICK: "........X.......", RIM: "........X.......", HAT: "x.o.x.o.x.o.x.oo"},
    "steppers": {KICK: "X...X...X...X...", SNARE: "........x.......", HAT: "..x...x...x...xo"},
    "bossa": {KICK: "x..xx..xx..xx..x", RIM: "x..x..x...x..x..", SHAKER: "xoxoxoxoxoxoxoxo"},
    "son": {
        CLAVES: "x..x..x...x.x...", CONGA: "..x...xx..x...xx",
        LOW_CONGA: "......x.......x.", SHAKER: "x.o.x.o.x.o.x.o.",
    },
    "reggaeton": {KICK: "X...X...X...X...", SNARE: "...x..x....x..x.", HAT: "..o...o...o...o."},
    "swing": {
        RIDE: "x...x.o.x...x.o.", PEDAL: "....x.......x...",
        KICK: "o.......o.......", SNARE: "......o.........",
    },
    "brushes": {SNARE2: "o...x...o...x...", PEDAL: "....o.......o...", RIDE: "o...o.o.o...o.o."},
    "funk": {KICK: "X..x..x...x..x..", SNARE: ".o..X..o.o..X..o", HAT: "x.xxx.xxx.xxx.x."},
    "waltz": {KICK: "X...........", RIM: "....x...x...", HAT: "o.o.o.o.o.o."},
}  # fmt: skip
FILL = ((HIGH_TOM, 0), (HIGH_TOM, 1), (MID_TOM, 2), (MID_TOM, 3), (SNARE, 4), (LOW_TOM, 5), (LOW_TOM, 6), (SNARE, 7))


def drum_notes(rng: np.random.Generator, form: Form, pattern: str) -> list[Note]:
    """The drums of a whole song: a pattern, thinned in quiet sections, with fills and crashes at their ends."""
    steps = 4 * form.beats_per_bar
    lines = {drum: line[:steps] for drum, line in PATTERNS[pattern].items()}
    notes: list[Note] = []
    for section in form.sections:
        # Intros and breaks often have no drums, or hats alone.
        if not section.band or (section.kind in {"intro", "break"} and rng.random() < 0.4):
            continue
        playing = lines if section.kind != "verse" or rng.random() < 0.7 else _thinned(rng, lines)
        notes += _section_notes(rng, form, section, playing)
    return notes


def _thinned(rng: np.random.Generator, lines: dict[int, str]) -> dict[int, str]:
    kept = rng.random(len(lines)) < 0.7
    return {drum: line for (drum, line), keep in zip(lines.items(), kept, strict=True) if keep}


def _section_notes(rng: np.random.Generator, form: Form, section: Section, lines: dict[int, str]) -> list[Note]:
    notes: list[Note] = []
    bars = int(section.beats // form.beats_per_bar)
    for bar in range(bars):
        start = section.start_beat + bar * form.beats_per_bar
        fill = bar == bars - 1 and rng.random() < 0.6
        for drum, line in lines.items():
            for step, sign in enumerate(line):
                if sign == "." or (fill and step >= len(line) - 8) or rng.random() < 0.03:
                    continue
                notes.append(Note(start + step / 4, 0.2, drum, VELOCITIES[sign]))
        if fill:
            fill_start = start + form.beats_per_bar - 2
            notes += [Note(fill_start + s / 4, 0.2, drum, 90 + 4 * s) for drum, s in FILL if rng.random() < 0.8]
        if bar == 0 and section.kind in {"chorus", "solo"}:
            notes.append(Note(start, 1.0, CRASH, 105))
    return notes
