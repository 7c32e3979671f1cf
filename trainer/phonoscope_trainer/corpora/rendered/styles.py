"""Musical styles as data: tempi, instruments (General MIDI programs from 0) and ways of playing them."""

from __future__ import annotations

from dataclasses import dataclass

NYLON, STEEL, JAZZ_GUITAR, CLEAN, MUTED, OVERDRIVEN, DISTORTED = 24, 25, 26, 27, 28, 29, 30
PIANOS, ELECTRIC_PIANOS, ORGANS = (0, 1, 2, 3), (4, 5), (16, 17, 18, 19)
STRINGS, BRASS, PADS = (48, 49, 50, 51, 44), (61, 62, 63), (88, 89, 90, 92, 93, 94, 95)
CHOIRS = (52, 53, 54, 85, 91)  # aahs, oohs, synth voice, voice lead, choir pad: never labelled as singing
SAXES, WINDS, FIDDLES = (64, 65, 66, 67), (71, 73, 74, 75, 68, 72), (40, 41, 42, 110)
TRUMPETS, SYNTH_LEADS, HARMONICAS = (56, 57, 59, 60), (80, 81, 82, 83, 84, 86, 87), (21, 22, 23)
MALLETS = (9, 11, 12, 13, 108, 46)
PIZZICATO, HARP, TUBA, BELLS = 45, 46, 58, (8, 9, 10, 14)
GUITAR_LEADS = (OVERDRIVEN, DISTORTED, CLEAN, JAZZ_GUITAR)
FINGERED_BASS, PICKED_BASS, FRETLESS, SLAP, UPRIGHT, SYNTH_BASS = 33, 34, 35, 36, 32, (38, 39)


@dataclass(frozen=True, slots=True)
class Style:
    """How songs of one kind are arranged."""

    name: str
    weight: float
    tempo_bpm: tuple[float, float]
    modes: tuple[str, ...]
    beats_per_bar: tuple[int, ...]
    drums: tuple[str, ...]  # names in drums.PATTERNS; empty for none
    bass: tuple[int, ...]
    bass_patterns: tuple[str, ...]
    comping: tuple[tuple[tuple[int, ...], tuple[str, ...]], ...]  # (programs, patterns) of each possible player
    leads: tuple[int, ...]
    swing: float = 0.0  # share of songs with swung eighths
    sevenths: float = 0.1
    drum_kits: tuple[int, ...] = (0,)
    rap: float = 0.0  # share of songs whose verses are spoken in rhythm
    instrumental: bool = False  # nobody sings; the leads play throughout


DARK, ALL = ("minor", "dorian", "harmonic minor"), ("major", "minor", "dorian")

STYLES = (
    Style("rock", 2.2, (95, 165), ("major", "mixolydian", "minor"), (4,), ("rock", "rock half", "rock busy"),
          (FINGERED_BASS, PICKED_BASS), ("eighths", "root", "octaves"),
          (((OVERDRIVEN, DISTORTED), ("power", "chugs", "sustain")), ((CLEAN, STEEL), ("strum", "arpeggio")),
           (ORGANS, ("sustain",)), ((DISTORTED,), ("power",))),
          (*GUITAR_LEADS, *HARMONICAS, *SAXES), drum_kits=(0, 8, 16)),
    Style("pop", 2.2, (85, 130), ("major", "minor", "mixolydian"), (4,), ("pop", "rock", "four"),
          (FINGERED_BASS, *SYNTH_BASS), ("root", "eighths", "syncopated"),
          ((PIANOS, ("quarters", "arpeggio", "sustain")), ((CLEAN, STEEL, MUTED), ("strum", "arpeggio", "offbeat")),
           (PADS, ("sustain",)), (STRINGS, ("sustain",)), (ELECTRIC_PIANOS, ("quarters", "sustain"))),
          (*SYNTH_LEADS, *GUITAR_LEADS, *SAXES, *MALLETS), drum_kits=(0, 8, 25)),
    Style("dance", 1.6, (112, 140), ("minor", "major", "phrygian"), (4,), ("four", "four open"),
          SYNTH_BASS, ("offbeat", "eighths", "octaves"),
          (((80, 81, 90, 62), ("syncopated", "offbeat", "sustain")), (PADS, ("sustain",)), (PIANOS, ("syncopated",)),
           ((81, 87, 80), ("arpeggio",))),
          SYNTH_LEADS, drum_kits=(24, 25)),
    Style("hip-hop", 1.3, (72, 102), DARK, (4,), ("hip-hop", "trap"), (*SYNTH_BASS, FINGERED_BASS),
          ("root", "syncopated"),
          ((ELECTRIC_PIANOS, ("sustain", "quarters")), (STRINGS, ("sustain", "arpeggio")), (PIANOS, ("arpeggio",)),
           (MALLETS, ("arpeggio",))),
          (*WINDS, *SYNTH_LEADS, *TRUMPETS), sevenths=0.4, drum_kits=(25, 8), rap=0.6),
    Style("ballad", 1.6, (58, 88), ALL, (4, 3), ("ballad", "pop", "waltz"), (FINGERED_BASS, FRETLESS), ("root",),
          ((PIANOS, ("arpeggio", "quarters", "sustain")), (STRINGS, ("sustain",)),
           ((STEEL, NYLON, CLEAN), ("arpeggio",)), (PADS, ("sustain",))),
          (*SAXES, *FIDDLES, *GUITAR_LEADS, *WINDS), sevenths=0.25, drum_kits=(0, 40)),
    Style("folk", 1.4, (75, 140), ("major", "mixolydian", "dorian", "minor"), (4, 3), (), (UPRIGHT, FINGERED_BASS),
          ("root", "halves"),
          (((STEEL, NYLON), ("strum", "arpeggio", "picking")), ((105, 104, 106), ("picking", "strum")),
           ((21, 23), ("sustain",)), ((STEEL,), ("strum",))),
          (*FIDDLES, *HARMONICAS, 73, 74, 75, 105)),
    Style("reggae", 0.8, (66, 92), ALL, (4,), ("reggae", "steppers"), (FINGERED_BASS,), ("dub", "syncopated"),
          (((CLEAN, MUTED), ("offbeat",)), (ORGANS, ("offbeat",)), (BRASS, ("syncopated",)), (PIANOS, ("offbeat",))),
          (*TRUMPETS, *SAXES, 22), swing=0.4, drum_kits=(0, 8), rap=0.15),
    Style("latin", 1.0, (88, 132), ("minor", "major", "harmonic minor", "phrygian"), (4,),
          ("bossa", "son", "reggaeton"),
          (UPRIGHT, FINGERED_BASS, 39), ("tumbao", "syncopated"),
          (((NYLON, STEEL), ("syncopated", "strum", "picking")), (PIANOS, ("montuno", "syncopated")),
           (BRASS, ("syncopated",))),
          (*TRUMPETS, *WINDS, NYLON, *MALLETS), sevenths=0.3, drum_kits=(0, 8), rap=0.15),
    Style("jazz", 1.0, (88, 190), ("major", "dorian", "minor"), (4, 3), ("swing", "brushes"), (UPRIGHT,),
          ("walking",),
          ((PIANOS, ("syncopated", "sustain")), ((JAZZ_GUITAR,), ("quarters", "syncopated")), (BRASS, ("syncopated",))),
          (*SAXES, *TRUMPETS, *WINDS, JAZZ_GUITAR, 11, 0), swing=0.9, sevenths=0.95, drum_kits=(32, 40)),
    Style("metal", 0.7, (100, 190), ("minor", "phrygian", "harmonic minor"), (4,), ("rock busy", "double kick"),
          (PICKED_BASS,), ("eighths",),
          (((DISTORTED,), ("chugs", "power")), ((DISTORTED, OVERDRIVEN), ("chugs", "sustain")),
           (STRINGS, ("sustain",))),
          (DISTORTED, OVERDRIVEN, 81), drum_kits=(16, 0)),
    Style("funk", 0.9, (92, 122), ("dorian", "mixolydian", "minor"), (4,), ("funk", "pop"), (SLAP, FINGERED_BASS, 38),
          ("syncopated", "octaves"),
          (((CLEAN, MUTED), ("sixteenths", "offbeat")), (ELECTRIC_PIANOS, ("syncopated",)), (BRASS, ("stabs",)),
           (ORGANS, ("sustain",))),
          (*SAXES, *TRUMPETS, CLEAN, 81), swing=0.2, sevenths=0.7, drum_kits=(0, 8), rap=0.1),
    Style("synthwave", 0.8, (80, 122), DARK, (4,), ("pop", "electro"), SYNTH_BASS, ("eighths", "sixteenths"),
          ((PADS, ("sustain",)), ((81, 80, 50, 51), ("arpeggio", "sustain")), ((62, 63), ("sustain", "stabs"))),
          SYNTH_LEADS, drum_kits=(24, 25)),
    # What detectors mistake for singing: expressive soloists, alone or with few others, and orchestras.
    Style("solo", 1.1, (54, 140), ALL, (4, 3), (), (), (), (), (*SAXES, *FIDDLES, *TRUMPETS, *WINDS, *GUITAR_LEADS, 22),
          instrumental=True),
    Style("chamber", 0.9, (56, 130), (*ALL, "harmonic minor"), (4, 3), (), (43, UPRIGHT), ("root", "halves"),
          ((PIANOS, ("arpeggio", "quarters", "sustain")), ((*STRINGS, PIZZICATO), ("sustain", "quarters")),
           ((NYLON, HARP), ("arpeggio", "picking"))),
          (*SAXES, *FIDDLES, *WINDS, *TRUMPETS), instrumental=True),
    Style("orchestra", 1.3, (56, 150), (*ALL, "harmonic minor"), (4, 3), (), (43, TUBA), ("root", "halves", "octaves"),
          ((STRINGS, ("sustain", "quarters", "eighth chords")),
           ((PIZZICATO, HARP), ("quarters", "arpeggio", "offbeat")), ((60, 61, 57), ("sustain", "stabs")),
           ((68, 70, 71, 73), ("sustain", "offbeat", "quarters"))),
          (*BELLS, *WINDS, *FIDDLES, *TRUMPETS, 69, 70, 72), instrumental=True),
)  # fmt: skip

STYLE_NAMES = tuple(style.name for style in STYLES)


def style_named(name: str) -> Style:
    """The style called `name`, one of `STYLE_NAMES`."""
    return next(style for style in STYLES if style.name == name)
