"""Sings a spoken line on notes: time, pitch, timbre and loudness, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from phonoscope_trainer.corpora.rendered.singer import Singer
from phonoscope_trainer.corpora.rendered.speech import Syllable
from phonoscope_trainer.corpora.rendered.vocoder import FRAME_S, Analysis, Float, synthesise, warp_time

LOUDEST = 0.25  # root mean square of a line's voiced frames, before its level
EDGE_S = 0.05  # of a vowel that keeps its spoken speed at either end
RELEASE_S = 0.09


@dataclass(frozen=True, slots=True)
class SungNote:
    """A syllable's notes: when its vowel starts and ends, and the `(start_s, MIDI pitch)` it passes through."""

    start_s: float
    end_s: float
    pitches: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Take:
    """A sung line, `samples` `[N]` float64 from `start_s` of the song."""

    start_s: float
    samples: Float


def sing(
    rng: np.random.Generator, analysis: Analysis, notes: tuple[SungNote, ...], singer: Singer, *, spoken: bool
) -> Take:
    """Sings the first `len(notes)` syllables of a line.

    Args:
        rng: Source of chance.
        analysis: The spoken line; it has at least as many syllables as there are notes.
        notes: One a syllable, in order.
        singer: Whose voice it is.
        spoken: Keep the melody of speech, as rappers do.
    """
    start_s, source_s = align(analysis.syllables, notes)
    line = warp_time(analysis, source_s)
    times: Float = start_s + FRAME_S * np.arange(len(source_s), dtype=np.float64)
    pitch = pitch_curve(rng, times, notes, singer)
    if spoken:
        pitch = _speech_melody(line.f0, pitch)
    voiced = line.f0 > 0
    f0 = np.where(voiced, 440 * 2 ** ((pitch - 69) / 12), 0.0)
    gain_db = loudness_curve(rng, times, notes, singer)
    gain_db += _tremolo_db(rng, pitch)
    shaped = Analysis(
        line.f0,
        shape_envelope(line.log_envelope, singer, gain_db, line.sample_rate_hz),
        _breathy(line.aperiodicity, singer.breathiness),
        line.syllables,
        line.sample_rate_hz,
    )
    samples = synthesise(shaped, f0)
    power = float(np.mean(np.square(samples))) + 1e-12
    level = LOUDEST * 10 ** (singer.level_db / 20) / np.sqrt(power)
    return Take(start_s, samples * level)


def align(syllables: tuple[Syllable, ...], notes: tuple[SungNote, ...]) -> tuple[float, Float]:
    """Which time of the spoken line each output frame shows.

    Vowels start on their notes and are stretched to fill them; consonants keep their speed and precede the beat.

    Returns:
        The output's start in seconds of the song, and `[T]` source times in seconds, non-decreasing.
    """
    first = syllables[0]
    lead_s = first.vowel_s - first.start_s + 0.02
    anchors = [(notes[0].start_s - lead_s, max(first.start_s - 0.02, 0.0))]
    for position, (syllable, note) in enumerate(zip(syllables, notes, strict=False)):
        following = syllables[position + 1] if position + 1 < len(syllables) else None
        end_s = note.end_s
        # Within a phrase the vowel makes room for the consonants before the next note.
        source_end_s = following.start_s if following else syllable.coda_s
        if following and position + 1 < len(notes):
            consonants_s = following.vowel_s - following.start_s
            upcoming_s = notes[position + 1].start_s
            end_s = min(end_s, upcoming_s - min(consonants_s, 0.45 * (upcoming_s - note.start_s)))
        vowel_s = max(syllable.coda_s - syllable.vowel_s, 0.02)
        edge_s = min(EDGE_S, 0.4 * vowel_s, 0.4 * (end_s - note.start_s))
        coda_s = max(source_end_s - syllable.coda_s, 0.0)
        coda_s = min(coda_s, 0.3 * (end_s - note.start_s))
        anchors += [
            (note.start_s, syllable.vowel_s),
            (note.start_s + edge_s, syllable.vowel_s + edge_s),
            (end_s - coda_s - edge_s, syllable.coda_s - edge_s),
            (end_s - coda_s, syllable.coda_s),
            (end_s, source_end_s),
        ]
    last = syllables[len(notes) - 1]
    anchors.append((anchors[-1][0] + RELEASE_S, max(anchors[-1][1], last.coda_s) + RELEASE_S / 3))
    output, source = np.array(anchors).T
    output, source = np.maximum.accumulate(output), np.maximum.accumulate(source)
    frames = np.arange(output[0], output[-1], FRAME_S)
    return float(output[0]), np.interp(frames, output, source)


def pitch_curve(rng: np.random.Generator, times: Float, notes: tuple[SungNote, ...], singer: Singer) -> Float:
    """`[T]` MIDI pitch at `times`: notes joined by portamento, with scoops, vibrato, drift and jitter."""
    changes = [change for note in notes for change in note.pitches]
    starts = np.array([start for start, _ in changes])
    pitches = np.array([pitch for _, pitch in changes])
    # A glide is centred a little before the beat, as singers arrive on it.
    curve = pitches[np.clip(np.searchsorted(starts - singer.portamento_s / 3, times, side="right") - 1, 0, None)]
    curve = gaussian_filter1d(curve.astype(float), singer.portamento_s / 3 / FRAME_S, mode="nearest")
    for position, note in enumerate(notes):
        since = times - note.start_s
        within = (since >= -0.05) & (times < note.end_s)
        if rng.random() < singer.scoop_share * (1.0 if position == 0 else 0.35):
            depth, speed = rng.uniform(0.5, 3), rng.uniform(0.04, 0.12)
            curve -= np.where(within, depth * np.exp(-np.maximum(since, 0) / speed), 0)
        curve += np.where(within, _vibrato(rng, since, note.end_s - note.start_s, singer), 0)
    if rng.random() < 0.25:
        curve -= rng.uniform(1, 5) * np.clip((times - notes[-1].end_s + 0.12) / 0.2, 0, 1)
    drift = gaussian_filter1d(rng.standard_normal(len(times) + 200), 0.25 / FRAME_S)[100:-100]
    jitter = gaussian_filter1d(rng.standard_normal(len(times)), 0.008 / FRAME_S)
    curve += singer.drift_semitones * drift * np.sqrt(2 * np.sqrt(np.pi) * 0.25 / FRAME_S)
    return np.asarray(curve + singer.jitter_semitones * jitter)


def _vibrato(rng: np.random.Generator, since: Float, duration_s: float, singer: Singer) -> Float:
    """`[T]` semitones; it sets in after a delay and is left out of short notes."""
    if duration_s < singer.vibrato_delay_s + 0.15:
        return np.zeros_like(since)
    growth = np.clip((since - singer.vibrato_delay_s) / 0.3, 0, 1)
    rate_hz = singer.vibrato_hz * float(rng.normal(1, 0.04))
    wave = np.sin(2 * np.pi * rate_hz * np.maximum(since - singer.vibrato_delay_s, 0))
    depth = singer.vibrato_semitones * float(rng.uniform(0.7, 1.2))
    return np.asarray(depth * growth * wave)


def _speech_melody(spoken_f0: Float, pitch: Float) -> Float:
    """The intonation of speech, moved to the notes' mean pitch less a fourth and widened."""
    voiced = spoken_f0 > 0
    if not voiced.any():
        return pitch
    frames = np.arange(len(spoken_f0))
    spoken = 12 * np.log2(np.interp(frames, frames[voiced], spoken_f0[voiced]) / 440) + 69
    return np.asarray(pitch.mean() - 5 + 1.5 * (spoken - spoken.mean()))


def loudness_curve(rng: np.random.Generator, times: Float, notes: tuple[SungNote, ...], singer: Singer) -> Float:
    """`[T]` dB: an arc over the phrase, accents on notes, and fades at its two ends."""
    start_s, end_s = times[0], times[-1] + FRAME_S
    arc = np.sin(np.pi * np.clip((times - start_s) / (end_s - start_s), 0, 1) ** float(rng.uniform(0.6, 1.5)))
    level = singer.dynamics_db * (arc - 1)
    accents = np.zeros_like(times)
    for note in notes:
        accents[(times >= note.start_s - 0.05) & (times < note.end_s)] = rng.normal(0, 0.4 * singer.dynamics_db)
    level += gaussian_filter1d(accents, 0.04 / FRAME_S)
    fade = np.minimum((times - start_s) / 0.02, (end_s - times) / RELEASE_S)
    return np.asarray(level + 20 * np.log10(np.clip(fade, 1e-4, 1)))


def _tremolo_db(rng: np.random.Generator, pitch: Float) -> Float:
    """Loudness that follows fast changes of pitch, as harmonics do when they sweep across formants."""
    slow = gaussian_filter1d(pitch, 0.2 / FRAME_S)
    return np.asarray(np.clip((pitch - slow) * float(rng.normal(0.8, 1.2)), -4, 4))


def shape_envelope(log_envelope: Float, singer: Singer, gain_db: Float, sample_rate_hz: int) -> Float:
    """The envelope `[T, K]` through the singer's vocal tract; louder frames are also brighter."""
    bins = log_envelope.shape[1]
    frequencies = np.linspace(0, sample_rate_hz / 2, bins)
    bend = 1 + (singer.formant_bend - 1) * frequencies / 5500
    source = np.clip(frequencies / (singer.formant_scale * bend) / (sample_rate_hz / 2) * (bins - 1), 0, bins - 1.001)
    before = source.astype(int)
    share = source - before
    warped = (1 - share) * log_envelope[:, before] + share * log_envelope[:, before + 1]
    octaves = np.log2(np.maximum(frequencies, 30) / 1000)
    colour = np.interp(np.log2(np.maximum(frequencies, 30) / 150), np.linspace(0, 6, 8), singer.colour_db)
    ring = singer.ring_db * np.exp(-0.5 * np.square((frequencies - singer.ring_hz) / 450))
    static_db = singer.tilt_db * np.maximum(octaves, 0) + colour + ring
    brightness = 1 + 0.25 * np.clip(octaves, 0, 3)
    return np.asarray(warped + np.log(10) / 10 * (static_db + gain_db[:, None] * brightness))


def _breathy(aperiodicity: Float, breathiness: float) -> Float:
    """Raises the aperiodicity, at high frequencies first."""
    rise = np.clip(np.linspace(-0.25, 1.75, aperiodicity.shape[1]), 0, 1)
    return np.asarray(1 - (1 - aperiodicity) * (1 - breathiness * rise))


def overlay(track: NDArray[np.float64], take: Take, sample_rate_hz: int) -> None:
    """Adds a take to a track in place; what lies outside the track is lost."""
    start = round(take.start_s * sample_rate_hz)
    first, last = max(start, 0), min(start + len(take.samples), len(track))
    if last > first:
        track[first:last] += take.samples[first - start : last - start]
