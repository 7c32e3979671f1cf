"""How a song becomes a ballad, dance music or hip-hop: who plays what, and how often the chord changes.

What tells the genres apart is drums, bass, the way of playing chords, instruments, their levels and harmonic rhythm.
What could tell them apart without listening to the music is the same in all three: tempo, key, form, singer, words and
melody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from phonoscope_trainer.corpora.rendered.styles import (
    ALL,
    BRASS,
    CLEAN,
    ELECTRIC_PIANOS,
    FIDDLES,
    FINGERED_BASS,
    FRETLESS,
    GUITAR_LEADS,
    MALLETS,
    MUTED,
    NYLON,
    PADS,
    PIANOS,
    SAXES,
    STEEL,
    STRINGS,
    SYNTH_BASS,
    SYNTH_LEADS,
    TRUMPETS,
    UPRIGHT,
    WINDS,
    Style,
)

TEMPO_BPM = (84.0, 124.0)  # a range that each genre has songs in; ballads and hip-hop feel half as fast
SAWS = (80, 81, 90, 62)

# What a song is before it is arranged: nothing here depends on the genre.
SONG = Style("song", 1.0, TEMPO_BPM, ALL, (4,), (), (), (), (), (), swing=0.2, sevenths=0.2, rap=0.3)


@dataclass(frozen=True, slots=True)
class Genre:
    """A way of arranging a song."""

    style: Style
    levels_db: Mapping[str, float]  # of roles that are louder or softer than usual
    bars_a_chord: int = 1
    loop: int = 0  # chords that repeat throughout the song; 0: each section has the song's own


GENRES: dict[str, Genre] = {
    "ballad": Genre(
        Style("ballad", 1.0, TEMPO_BPM, ALL, (4,), ("ballad", "slow ballad", "brushes"),
              (FINGERED_BASS, FRETLESS, UPRIGHT), ("root", "halves"),
              ((PIANOS, ("arpeggio", "quarters", "sustain")), (STRINGS, ("sustain",)),
               ((STEEL, NYLON, CLEAN), ("arpeggio", "picking")), (PADS, ("sustain",)),
               (ELECTRIC_PIANOS, ("quarters", "sustain"))),
              (*SAXES, *FIDDLES, *GUITAR_LEADS, *WINDS), drum_kits=(0, 8, 40)),
        levels_db={"drums": -6.0, "bass": -4.0, "comping": -2.0, "pad": -6.0},
    ),
    "dance": Genre(
        Style("dance", 1.0, TEMPO_BPM, ALL, (4,), ("four", "four open", "house"),
              (*SYNTH_BASS, FINGERED_BASS), ("offbeat", "eighths", "octaves"),
              ((SAWS, ("syncopated", "offbeat", "eighth chords")), (PADS, ("sustain",)),
               (PIANOS, ("syncopated", "offbeat")), (SAWS, ("arpeggio", "sixteenths")), (STRINGS, ("sustain",))),
              (*SYNTH_LEADS, *SAXES, *TRUMPETS), drum_kits=(8, 24, 25)),
        levels_db={"drums": 3.0, "bass": 0.0},
        loop=4,
    ),
    "hip-hop": Genre(
        Style("hip-hop", 1.0, TEMPO_BPM, ALL, (4,), ("hip-hop", "boom bap", "lazy hip-hop", "trap", "half trap"),
              (*SYNTH_BASS, FINGERED_BASS, UPRIGHT), ("root", "syncopated", "dub"),
              ((ELECTRIC_PIANOS, ("sustain", "syncopated")), (STRINGS, ("sustain", "stabs")),
               (PIANOS, ("arpeggio", "stabs")), (MALLETS, ("arpeggio",)), (BRASS, ("stabs",)),
               ((CLEAN, MUTED, NYLON), ("picking", "stabs"))),
              (*WINDS, *SYNTH_LEADS, *TRUMPETS), drum_kits=(0, 8, 25)),
        levels_db={"drums": 3.0, "bass": 2.0, "comping": -7.0},
        bars_a_chord=2,
        loop=2,
    ),
}  # fmt: skip
