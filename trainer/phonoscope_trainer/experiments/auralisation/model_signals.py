"""Model signals: one instrument, one kind of chord, one key (Choi et al. 2016, section 4.2).

The paper names six of its seven instruments; the seventh here is an organ, which sustains as no other of them does and
has neither bow nor breath. A signal lasts one clip. In it the chord is played in six positions, up and down again, as
in the paper's Fig. 9; "intervals" are the root with six others above it, one after another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import soxr
from numpy.typing import NDArray

from phonoscope_trainer.corpora.rendered.options import SOURCE_RATE_HZ
from phonoscope_trainer.corpora.rendered.soundfont import PlayedNote, render_notes
from phonoscope_trainer.frontends.linear import LINEAR_STFT, LinearStftOptions

SINE = "pure sine"
PROGRAMS = {  # General MIDI, from 0
    "strings": 48,
    "acoustic guitar": 25,
    "saxophone": 65,
    "piano": 0,
    "electric guitar": 27,
    "organ": 16,
}
INSTRUMENTS = (SINE, *PROGRAMS)
INTERVALS = (3, 4, 5, 7, 9, 12)  # semitones above the root: "intervals"
CHORDS: dict[str, tuple[int, ...]] = {
    "intervals": (),
    "major": (0, 4, 7),
    "minor": (0, 3, 7),
    "sus4": (0, 5, 7),
    "dominant7": (0, 4, 7, 10),
    "major7": (0, 4, 7, 11),
    "minor7": (0, 3, 7, 10),
    "diminished": (0, 3, 6),
}
KEYS = {"Eb2": 39, "Bb2": 46, "A3": 57, "G4": 67}  # MIDI keys of the roots
POSITIONS = (0, 1, 2, 2, 1, 0)
ATTRIBUTES = ("key", "chord", "instrument")
LEVEL = 0.1  # root mean square of every signal
RAMP_S = 0.01  # of a sine's beginning and end
SHARE_HELD = 0.92  # of the time until the next chord
VELOCITY = 96


@dataclass(frozen=True, slots=True)
class ModelSignal:
    """What is played in one signal."""

    instrument: str
    chord: str
    key: str

    def differs_only_in(self, other: ModelSignal) -> str | None:
        """The attribute in which two signals differ, where it is exactly one."""
        differing = [name for name in ATTRIBUTES if getattr(self, name) != getattr(other, name)]
        return differing[0] if len(differing) == 1 else None


def model_signals() -> tuple[ModelSignal, ...]:
    """All 7 × 8 × 4 = 224."""
    return tuple(ModelSignal(*each) for each in product(INSTRUMENTS, CHORDS, KEYS))


def render_signal(signal: ModelSignal, options: LinearStftOptions = LINEAR_STFT) -> NDArray[np.float32]:
    """`[clip_samples]` float32 of one signal, at the tagger's rate and at the level of all others."""
    notes = list(_notes(signal, options.clip_s))
    sine = signal.instrument == SINE
    samples = (
        _sines(notes, options.clip_s) if sine else render_notes(notes, PROGRAMS[signal.instrument], options.clip_s)
    )
    heard = soxr.resample(samples, SOURCE_RATE_HZ, options.sample_rate_hz)[: options.clip_samples]
    level = np.sqrt(np.mean(np.square(heard, dtype=np.float64)))
    return np.asarray(heard * (LEVEL / level), np.float32)


def chord_pitches(signal: ModelSignal) -> tuple[tuple[int, ...], ...]:
    """MIDI keys of the six chords of a signal."""
    root = KEYS[signal.key]
    if signal.chord == "intervals":
        return tuple((root, root + interval) for interval in INTERVALS)
    offsets = CHORDS[signal.chord]
    raised = ([*offsets[position:], *(offset + 12 for offset in offsets[:position])] for position in POSITIONS)
    return tuple(tuple(root + offset for offset in chord) for chord in raised)


def _notes(signal: ModelSignal, duration_s: float) -> Iterator[PlayedNote]:
    chords = chord_pitches(signal)
    each_s = duration_s / len(chords)
    for number, pitches in enumerate(chords):
        for pitch in pitches:
            yield PlayedNote(number * each_s, (number + SHARE_HELD) * each_s, pitch, VELOCITY)


def _sines(notes: list[PlayedNote], duration_s: float) -> NDArray[np.float32]:
    """Pure tones of equal loudness, without clicks."""
    time_s = np.arange(round(duration_s * SOURCE_RATE_HZ)) / SOURCE_RATE_HZ
    mix = np.zeros_like(time_s)
    for note in notes:
        ramp = np.clip(np.minimum(time_s - note.start_s, note.end_s - time_s) / RAMP_S, 0, 1)
        mix += ramp * np.sin(2 * np.pi * 440 * 2 ** ((note.pitch - 69) / 12) * time_s)
    return mix.astype(np.float32)
