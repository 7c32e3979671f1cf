"""What is played in a corpus of sounds that sway like a voice: General MIDI soloists and choirs, tones, sirens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phonoscope_trainer.corpora.made_clips import SAMPLE_RATE_HZ, Description, Maker
from phonoscope_trainer.corpora.played.swaying import played_with, sway
from phonoscope_trainer.corpora.played.tones import siren, tone
from phonoscope_trainer.corpora.rendered.soundfont import PlayedNote, render_notes
from phonoscope_trainer.corpora.rendered.styles import (
    BRASS,
    CHOIRS,
    FIDDLES,
    GUITAR_LEADS,
    HARMONICAS,
    MALLETS,
    ORGANS,
    PADS,
    SAXES,
    STRINGS,
    SYNTH_LEADS,
    TRUMPETS,
    WINDS,
)

DURATION_S = 12.0
# Where they lie; None is the one that pretty_midi carries. The other is Debian's package fluid-soundfont-gm.
SOUNDFONTS: dict[str, Path | None] = {"TimGM6mb": None, "FluidR3": Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")}
SCALE = (0, 2, 4, 5, 7, 9, 11)
SOLOISTS = (
    *FIDDLES, *WINDS, *SAXES, *TRUMPETS, *BRASS, *STRINGS, *ORGANS, *HARMONICAS, *SYNTH_LEADS, *GUITAR_LEADS, *PADS,
    *MALLETS, 58, 69, 70, 76, 77, 78, 79, 109, 111,
)  # fmt: skip
PLAYED_SHARES = {"soloist": 0.55, "choir": 0.2, "tone": 0.13, "siren": 0.12}
CHORDS_SHARE = {"soloist": 0.25, "choir": 0.6}


def _made(rng: np.random.Generator, means: tuple[str, ...], clip: int) -> tuple[NDArray[np.floating], Description]:
    sound = str(rng.choice(list(PLAYED_SHARES), p=list(PLAYED_SHARES.values())))
    described: Description = {"sound": sound, "clip": f"clip {clip}"}
    if sound == "siren":
        return siren(rng, DURATION_S), described
    if sound == "tone":
        return tone(rng, DURATION_S), described
    soundfont = means[clip % len(means)]  # clips go round them
    program = int(rng.choice(CHOIRS if sound == "choir" else SOLOISTS))
    notes = _melody(rng, is_chordal=bool(rng.random() < CHORDS_SHARE[sound]))
    samples = render_notes(notes, program, DURATION_S, untuned_soundfont=SOUNDFONTS[soundfont])
    swaying = played_with(samples, sway(rng, DURATION_S), SAMPLE_RATE_HZ)
    return swaying, described | {"soundfont": soundfont, "program": program}


def _melody(rng: np.random.Generator, *, is_chordal: bool) -> list[PlayedNote]:
    """Steps along a scale in notes of one player's usual length, or such steps in thirds."""
    root, step = int(rng.integers(45, 73)), int(rng.integers(0, 7))
    note_s, rest_share = float(np.exp(rng.uniform(np.log(0.15), np.log(2.5)))), float(rng.choice((0, 0.1, 0.3)))
    notes, start_s = [], 0.0
    while start_s < DURATION_S:
        length_s = note_s * float(rng.choice((0.5, 1, 1, 1, 2)))
        if rng.random() >= rest_share:
            velocity = int(rng.integers(60, 120))
            for third in (0, 2, 4) if is_chordal else (0,):
                octave, degree = divmod(step + third, len(SCALE))
                pitch = root + 12 * octave + SCALE[degree]
                notes.append(PlayedNote(start_s, start_s + 0.95 * length_s, pitch, velocity))
        step = int(np.clip(step + rng.integers(-3, 4), -7, 14))
        start_s += length_s
    return notes


def _installed() -> tuple[str, ...]:
    return tuple(name for name, file in SOUNDFONTS.items() if file is None or file.is_file())


PLAYED = Maker(
    kind="played",
    version=1,
    licence="made by Phonoscope with the soundfonts TimGM6mb (GPL) and FluidR3 (MIT); nobody else's recordings",
    means="soundfonts",
    installed=_installed,
    make=_made,
    group="clip",
)
