"""Renders parts with the General MIDI soundfont that pretty_midi carries."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from symusic import Note as TickNote
from symusic import Score, Synthesizer, Tempo, Track

from phonoscope_trainer.corpora.rendered.bending import bend
from phonoscope_trainer.corpora.rendered.form import Form
from phonoscope_trainer.corpora.rendered.notes import Part
from phonoscope_trainer.corpora.rendered.options import SOURCE_RATE_HZ
from phonoscope_trainer.corpora.rendered.tuned_soundfont import tuned_soundfont

TICKS_PER_SECOND = 960  # a quarter note at 60 beats a minute: ticks are seconds, tempo is already in the notes
# Above, the synthesiser steps over whole sample loops: some patches never end from key 92 on.
HIGHEST_KEY = 84
SMALLEST = 1e-30  # magnitude of a sample; below lies what `_blank_memory` leaves
M_PERTURB = -6  # of malloc.h


@dataclass(frozen=True, slots=True)
class PlayedNote:
    """A note at the time it is played; `pitch` is a MIDI key, `velocity` 1 to 127."""

    start_s: float
    end_s: float
    pitch: int
    velocity: int


def render_part(rng: np.random.Generator, form: Form, part: Part) -> NDArray[np.float32]:
    """`[N]` float32 samples of a part over the whole song, played with human timing."""
    tightness_s = float(rng.uniform(0.001, 0.012))
    played = []
    for note in part.notes:
        start_s = max(form.second(note.start_beat) + float(rng.normal(0, tightness_s)), 0.0)
        end_s = max(form.second(note.start_beat + note.beats), start_s + 0.04)
        if start_s < form.duration_s:
            velocity = int(np.clip(note.velocity + rng.normal(0, 6), 1, 127))
            played.append(PlayedNote(start_s, end_s, note.pitch, velocity))
    samples = render_notes(played, part.program, form.duration_s, drums=part.role == "drums")
    return bend(rng, form, part.notes, samples) if part.pattern == "melody" else samples


def render_notes(
    notes: Iterable[PlayedNote],
    program: int,
    duration_s: float,
    *,
    drums: bool = False,
    untuned_soundfont: Path | None = None,
) -> NDArray[np.float32]:
    """`[N]` float32 samples at `SOURCE_RATE_HZ` of notes on a General MIDI program from 0, or on a drum kit.

    Notes above the soundfont's reach are played some octaves lower. The soundfont is pretty_midi's unless one is given.
    """
    score = Score(TICKS_PER_SECOND)
    score.tempos.append(Tempo(0, 60.0))
    track = Track("", program, drums)
    for note in notes:
        start, length = round(note.start_s * TICKS_PER_SECOND), round((note.end_s - note.start_s) * TICKS_PER_SECOND)
        track.notes.append(TickNote(start, length, _playable(note.pitch), note.velocity))
    score.tracks.append(track)
    samples = np.zeros(round(duration_s * SOURCE_RATE_HZ), dtype=np.float32)
    if len(track.notes):
        with _blank_memory():
            rendered = np.asarray(_synthesizer(untuned_soundfont).render(score, stereo=False), dtype=np.float32)[0][
                : len(samples)
            ]
        samples[: len(rendered)] = np.where(np.abs(rendered) < SMALLEST, 0, rendered)
    return samples


def _playable(pitch: int) -> int:
    """The pitch, brought down by octaves to at most `HIGHEST_KEY`."""
    return pitch - 12 * max(0, -((HIGHEST_KEY - pitch) // 12))


@contextmanager
def _blank_memory() -> Iterator[None]:
    """Lets freed memory read as 2e-38 instead of what it held, where the C library is glibc.

    The synthesiser leaves a sample unwritten where a loop ends exactly on it, about once in 600 parts; without this it
    would be a click of whatever lay there before, and a song would not be re-made identically.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        yield
        return
    mallopt(M_PERTURB, 1)
    try:
        yield
    finally:
        mallopt(M_PERTURB, 0)


def _synthesizer(untuned_soundfont: Path | None) -> Synthesizer:
    # A fresh one for every part: it carries controllers and voices over from what it rendered before.
    return Synthesizer(str(tuned_soundfont(untuned_soundfont)), SOURCE_RATE_HZ, 0)
