"""A singer: a speaking voice, a vocal tract, and habits of pitch and loudness."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

# Variants of which eSpeak NG gives the same samples every time; those with echo or whisper it does not.
MALE_VARIANTS = (
    "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "klatt", "klatt2", "klatt3", "klatt4", "klatt5",
    "klatt6", "Andy", "Gene", "Gene2", "Marco", "Mike", "Reed", "adam", "david", "ed", "edward",
    "edward2", "john", "paul", "quincy", "rob", "robert", "travis", "zac", "Alex", "Denis", "Diogo",
    "Henrique", "Hugo", "Jacky", "Lee", "Mario", "Michael", "Storm", "antonio", "benjamin", "boris",
    "caleb", "gustave", "ian", "iven", "marcelo", "max", "michel", "miguel", "mike2", "norbert",
    "pablo", "pedro",
)  # fmt: skip
FEMALE_VARIANTS = (
    "f1", "f4", "Andrea", "Annie", "anika", "aunty", "belinda", "linda", "shelby", "steph",
    "steph2", "steph3", "klatt4", "m4", "Tweaky",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Singer:
    """Everything about a voice that does not change within a song."""

    female: bool
    language: str
    voice: str  # eSpeak NG language and variant
    speaking_pitch: int  # 0 to 99
    centre_pitch: float  # MIDI
    formant_scale: float  # above 1: a shorter vocal tract
    formant_bend: float  # further scaling at 5.5 kHz
    tilt_db: float  # per octave above 1 kHz
    ring_db: float  # singer's formant
    ring_hz: float
    colour_db: tuple[float, ...]  # gains at eight frequencies equally spaced in octaves from 150 Hz to 9.6 kHz
    breathiness: float  # 0 to 1
    vibrato_hz: float
    vibrato_semitones: float
    vibrato_delay_s: float
    portamento_s: float
    scoop_share: float
    drift_semitones: float
    jitter_semitones: float
    dynamics_db: float
    level_db: float = 0.0


def draw_singer(rng: np.random.Generator, language: str, voices: tuple[str, ...]) -> Singer:
    """A singer of one of a language's voices."""
    female = bool(rng.random() < 0.5)
    variant = str(rng.choice(FEMALE_VARIANTS if female else MALE_VARIANTS))
    falsetto = rng.random() < 0.12
    centre = rng.normal(66, 2.5) if female else rng.normal(55 + 9 * falsetto, 3.2)
    strong_vibrato = rng.random() < 0.5
    return Singer(
        female=female,
        language=language,
        voice=f"{rng.choice(voices)}+{variant}",
        speaking_pitch=int(rng.integers(25, 55)),
        centre_pitch=float(centre),
        formant_scale=float(rng.normal(1.12 if female else 1.0, 0.06)),
        formant_bend=float(rng.normal(1.0, 0.05)),
        tilt_db=float(rng.normal(-2.2 - 1.5 * falsetto, 1.8)),
        ring_db=float(np.clip(rng.normal(4, 4), -2, 12)),
        ring_hz=float(rng.uniform(2600, 3700)),
        colour_db=tuple(float(g) for g in rng.normal(0, 3, 8)),
        breathiness=float(np.clip(rng.beta(1.6, 2.6) + 0.25 * falsetto, 0, 0.95)),
        vibrato_hz=float(rng.uniform(4.5, 7.0)),
        vibrato_semitones=float(rng.uniform(0.35, 1.0) if strong_vibrato else rng.uniform(0.05, 0.4)),
        vibrato_delay_s=float(rng.uniform(0.03, 0.35)),
        portamento_s=float(rng.uniform(0.05, 0.24)),
        scoop_share=float(rng.uniform(0, 0.6)),
        drift_semitones=float(rng.uniform(0.08, 0.45)),
        jitter_semitones=float(rng.uniform(0.02, 0.1)),
        dynamics_db=float(rng.uniform(1, 5)),
    )


def second_take(rng: np.random.Generator, singer: Singer) -> Singer:
    """The same singer on another take, as in a doubled track."""
    return replace(
        singer,
        formant_scale=singer.formant_scale * float(rng.normal(1, 0.015)),
        vibrato_hz=singer.vibrato_hz * float(rng.normal(1, 0.06)),
        colour_db=tuple(g + float(rng.normal(0, 1)) for g in singer.colour_db),
        level_db=singer.level_db - float(rng.uniform(2, 9)),
    )
