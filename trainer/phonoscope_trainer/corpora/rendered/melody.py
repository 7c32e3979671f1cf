"""Melodies: phrases of notes on a rhythmic grid, drawn towards the chords."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from phonoscope_trainer.corpora.rendered.form import Form, Section
from phonoscope_trainer.corpora.rendered.notes import Note

STEPS = np.array((-4, -3, -2, -1, 0, 1, 2, 3, 4))
STEP_WEIGHTS = np.array((0.02, 0.04, 0.14, 0.24, 0.16, 0.22, 0.12, 0.04, 0.02))


@dataclass(frozen=True, slots=True)
class PhraseSpan:
    """Where a phrase may sound, in beats of the song."""

    section: Section
    start_beat: float
    beats: float


def phrase_spans(rng: np.random.Generator, form: Form, section: Section) -> list[PhraseSpan]:
    """Divides a section into phrases of one to four bars, each ending in a pause of at least 0.35 s."""
    pause_floor = 0.35 * form.tempo_bpm / 60
    bars_each = 4 if form.tempo_bpm > 125 and rng.random() < 0.3 else int(rng.choice((1, 2, 2, 2)))
    length = bars_each * form.beats_per_bar
    offset = float(rng.choice((0, 0, 0.5, 1, -0.5), p=(0.3, 0.2, 0.2, 0.2, 0.1)))
    spans = []
    for start in np.arange(section.start_beat, section.start_beat + section.beats - 0.1, length):
        first = max(float(start) + offset, 0.0)
        available = min(length, section.start_beat + section.beats - start) - max(offset, 0)
        pause = max(pause_floor, float(rng.uniform(0.06, 0.34)) * length)
        if available - pause >= 1 and rng.random() < 0.94:
            spans.append(PhraseSpan(section, first, float(np.floor(2 * (available - pause)) / 2 + 0.5)))
    return spans


def draw_rhythm(rng: np.random.Generator, beats: float, count: int) -> list[tuple[float, float]]:
    """`(start, length)` in beats of `count` notes that fill `beats`; the last note tends to be long."""
    if count == 1:
        return [(0.0, beats)]
    grid = next((g for g in (0.5, 0.25) if beats / g >= 1.15 * count), beats / count)
    slots = max(round(beats / grid), count)
    held = min(int(rng.integers(0, 4)), slots - count)
    weights = np.where(np.arange(1, slots - held) * grid % 1 == 0, 2.0, 1.0)
    chosen = rng.choice(np.arange(1, slots - held), count - 1, replace=False, p=weights / weights.sum())
    starts = np.concatenate(([0], np.sort(chosen))) * grid
    lengths = np.diff(np.concatenate((starts, [beats])))
    return [(float(s), float(length)) for s, length in zip(starts, lengths, strict=True)]


def draw_pitches(
    rng: np.random.Generator, form: Form, section: Section, onsets: list[float], centre: float, reach: int
) -> list[int]:
    """MIDI pitches for onsets (beats of the song): a random walk in the scale that leans on chord notes.

    Args:
        rng: Source of chance.
        form: Key and bars.
        section: Chords.
        onsets: Beats of the song.
        centre: MIDI pitch the walk is pulled towards.
        reach: Scale steps it may go from there.
    """
    home = form.key.nearest_step(centre)
    step = home + int(rng.integers(-2, 3))
    pitches = []
    for onset in onsets:
        pull = -0.18 * (step - home) / reach * STEPS
        weights = STEP_WEIGHTS * np.exp(pull)
        step += int(rng.choice(STEPS, p=weights / weights.sum()))
        step = int(np.clip(step, home - reach, home + reach))
        chord = form.chord_at(section, onset)
        if onset % 1 == 0 and rng.random() < 0.75 and not chord.holds(step, form.key):
            near = [s for s in (step - 1, step + 1, step - 2, step + 2) if chord.holds(s, form.key)]
            step = near[0] if near else step
        pitches.append(form.key.pitch(step))
    return pitches


def lead_notes(rng: np.random.Generator, form: Form, section: Section, centre: float, density: float) -> list[Note]:
    """An instrumental melody over a section, phrased as a singer would; `density` is notes a beat."""
    notes: list[Note] = []
    legato = float(rng.uniform(0.75, 1.05))
    for span in phrase_spans(rng, form, section):
        count = max(1, round(span.beats * density * float(rng.uniform(0.6, 1.4))))
        rhythm = draw_rhythm(rng, span.beats, min(count, int(span.beats * 4)))
        onsets = [span.start_beat + start for start, _ in rhythm]
        pitches = draw_pitches(rng, form, section, onsets, centre, 7)
        for onset, (_, beats), pitch in zip(onsets, rhythm, pitches, strict=True):
            notes.append(Note(onset, beats * legato, pitch, int(rng.integers(78, 122))))
    return notes
