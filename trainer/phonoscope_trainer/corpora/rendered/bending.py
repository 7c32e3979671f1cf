"""Vibrato, scoops and glides of solo instruments, by warping the time of what they played."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.signal import lfilter

from phonoscope_trainer.corpora.rendered.form import Form
from phonoscope_trainer.corpora.rendered.notes import Note
from phonoscope_trainer.corpora.rendered.options import SOURCE_RATE_HZ

CONTROL_RATE_HZ = 200
VIBRATO_FROM_S = 0.28  # shorter notes have none
WIDEST_GLIDE = 4.0  # semitones; a wider step is played, not slid
RECOVERY_S = 0.5  # in which the delay left by a bend fades


def bend(
    rng: np.random.Generator, form: Form, notes: tuple[Note, ...], samples: NDArray[np.float32]
) -> NDArray[np.float32]:
    """`[N]` float32 melody with the vibrato, scoops and glides of one player's habits.

    Playing at speed `2**(semitones / 12)` is reading the samples with a delay that integrates it.
    The synthesiser's own pitch bends are not used: they click, and leave samples undefined.
    """
    semitones = bend_curve(rng, form, notes)
    speed = np.log(2) / 12 * semitones
    leak = 1 - 1 / (RECOVERY_S * CONTROL_RATE_HZ)
    offset = lfilter([1.0], [1.0, -leak], speed) * SOURCE_RATE_HZ / CONTROL_RATE_HZ
    positions = np.arange(len(samples), dtype=np.float64)
    positions += np.interp(positions, np.arange(len(offset)) * (SOURCE_RATE_HZ / CONTROL_RATE_HZ), offset)
    warped: NDArray[np.float32] = map_coordinates(samples, positions[None], order=3, mode="nearest")
    return warped


def bend_curve(rng: np.random.Generator, form: Form, notes: tuple[Note, ...]) -> NDArray[np.float64]:
    """`[T]` semitones at `CONTROL_RATE_HZ` over the song."""
    curve = np.zeros(int(form.duration_s * CONTROL_RATE_HZ) + 1)
    rate_hz = float(rng.uniform(4.5, 7.0))
    depth = float(rng.choice((0, 0.15, 0.3, 0.5)) * rng.uniform(0.6, 1.4))
    scoop_share, scoop = float(rng.choice((0, 0.1, 0.4))), float(rng.uniform(0.5, 1.8))
    glide_share, glide_s = float(rng.choice((0, 0.3, 0.8))), float(rng.uniform(0.02, 0.06))
    before = None
    for note in notes:
        start_s, end_s = form.second(note.start_beat), form.second(note.start_beat + note.beats)
        first, last = int(start_s * CONTROL_RATE_HZ), min(int(end_s * CONTROL_RATE_HZ), len(curve))
        since_s = np.arange(max(last - first, 0)) / CONTROL_RATE_HZ
        semitones = np.zeros_like(since_s)
        if rng.random() < scoop_share:
            semitones -= scoop * np.exp(-since_s / 0.06)
        elif before is not None and abs(step := before - note.pitch) <= WIDEST_GLIDE and rng.random() < glide_share:
            semitones += step * np.exp(-since_s / glide_s)
        before = note.pitch
        if end_s - start_s > VIBRATO_FROM_S:
            semitones += depth * np.clip((since_s - 0.12) / 0.3, 0, 1) * np.sin(2 * np.pi * rate_hz * since_s)
        curve[first : first + len(semitones)] = semitones
    return curve
