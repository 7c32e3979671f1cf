"""Keys, chords and chord progressions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SCALES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
}

# Scale degrees, 0 the tonic.
BRIGHT_PROGRESSIONS = (
    (0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4), (0, 3, 4, 3), (0, 3, 0, 4), (1, 4, 0, 0), (0, 2, 3, 4), (0, 0, 3, 0),
    (3, 0, 4, 5), (0, 5, 1, 4), (3, 4, 2, 5), (0, 4, 3, 3), (0, 0, 3, 3, 4, 3, 0, 4), (0, 4, 5, 2, 3, 0, 3, 4), (0,),
    (0, 3), (0, 6, 3, 0),
)  # fmt: skip
DARK_PROGRESSIONS = (
    (0, 5, 2, 6), (0, 6, 5, 6), (0, 3, 4, 0), (0, 5, 3, 4), (0, 3, 6, 2), (0, 6, 5, 4), (0, 2, 6, 3), (0, 0, 5, 6),
    (5, 6, 0, 0), (0, 3, 0, 4), (0, 3, 6, 2, 5, 1, 4, 0), (0, 4, 5, 3), (0,), (0, 6), (0, 5),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Key:
    """A tonic (pitch class, 0 = C) and a mode named in `SCALES`."""

    tonic: int
    mode: str

    def pitch(self, step: int) -> int:
        """MIDI pitch of a scale step; step 0 is the tonic in the octave of middle C."""
        scale = SCALES[self.mode]
        octave, degree = divmod(step, len(scale))
        return 60 + self.tonic + 12 * octave + scale[degree]

    def nearest_step(self, pitch: float) -> int:
        """The scale step whose MIDI pitch is nearest to `pitch`."""
        return min(range(-28, 29), key=lambda step: abs(self.pitch(step) - pitch))


@dataclass(frozen=True, slots=True)
class Chord:
    """Stacked scale steps over a degree, `degree + offsets`."""

    degree: int
    offsets: tuple[int, ...] = (0, 2, 4)

    def holds(self, step: int, key: Key) -> bool:
        """Whether a scale step is one of the chord's notes."""
        size = len(SCALES[key.mode])
        return any((self.degree + offset - step) % size == 0 for offset in self.offsets)

    def voicing(self, key: Key, lowest: int) -> tuple[int, ...]:
        """MIDI pitches in the inversion whose notes all lie in the octave from `lowest`."""
        pitches = (key.pitch(self.degree + offset) for offset in self.offsets)
        return tuple(sorted({lowest + (pitch - lowest) % 12 for pitch in pitches}))

    def root(self, key: Key, lowest: int) -> int:
        """MIDI pitch of the root in the octave from `lowest`."""
        return lowest + (key.pitch(self.degree) - lowest) % 12


def draw_key(rng: np.random.Generator, modes: tuple[str, ...]) -> Key:
    """A key with one of the modes."""
    return Key(int(rng.integers(12)), str(rng.choice(modes)))


def draw_progression(rng: np.random.Generator, key: Key, sevenths: float) -> tuple[Chord, ...]:
    """A progression, one chord a bar; each chord has a seventh with probability `sevenths`."""
    bright = SCALES[key.mode][2] == 4
    degrees = rng.choice(np.array(BRIGHT_PROGRESSIONS if bright else DARK_PROGRESSIONS, dtype=object))
    chords = []
    for degree in degrees:
        offsets = (0, 2, 4, 6) if rng.random() < sevenths else (0, 2, 4)
        if rng.random() < 0.06:
            offsets = (0, 3, 4)  # suspended
        chords.append(Chord(int(degree), offsets))
    return tuple(chords)
