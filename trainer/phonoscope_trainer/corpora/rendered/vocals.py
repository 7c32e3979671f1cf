"""The vocal arrangement of a song: lines, melodies, doublings and harmonies, as a dry voice track."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from phonoscope_trainer.corpora.rendered.form import Form
from phonoscope_trainer.corpora.rendered.lyrics import LANGUAGES, draw_language, draw_line
from phonoscope_trainer.corpora.rendered.melody import PhraseSpan, draw_pitches, draw_rhythm, phrase_spans
from phonoscope_trainer.corpora.rendered.options import SOURCE_RATE_HZ
from phonoscope_trainer.corpora.rendered.singer import Singer, draw_singer, second_take
from phonoscope_trainer.corpora.rendered.singing import SungNote, overlay, sing
from phonoscope_trainer.corpora.rendered.speech import speak
from phonoscope_trainer.corpora.rendered.vocoder import Analysis, analyse

HARMONY_STEPS = (2, -3, 4, -5, 7)  # scale steps of backing voices from the melody


@dataclass
class Choir:
    """The singers of a song, and the lines they have spoken so far (analysed once, sung many times)."""

    lead: Singer
    second: Singer
    backing: tuple[Singer, ...]
    rap: bool
    chorus_lines: list[str] = field(default_factory=list)
    analyses: dict[tuple[str, str, bool], Analysis] = field(default_factory=dict)

    def analysis(self, singer: Singer, text: str, spoken: bool) -> Analysis:
        """The analysed line in a singer's speaking voice; `spoken` keeps the intonation of speech."""
        key = (singer.voice, text, spoken)
        if key not in self.analyses:
            utterance = speak(
                text,
                singer.voice,
                words_per_minute=170 if spoken else 140,
                pitch=singer.speaking_pitch,
                pitch_range=60 if spoken else 4,
            )
            self.analyses[key] = analyse(utterance)
        return self.analyses[key]


def draw_choir(rng: np.random.Generator, form: Form) -> Choir:
    """A lead singer, a second for duets, and up to three backing singers, all in one language."""
    name = draw_language(rng)
    voices = LANGUAGES[name].voices
    lead, second = draw_singer(rng, name, voices), draw_singer(rng, name, voices)
    backing = tuple(draw_singer(rng, name, voices) for _ in range(int(rng.choice((0, 1, 2, 3)))))
    if rng.random() > 0.15:
        second = lead
    return Choir(lead, second, backing, bool(rng.random() < form.style.rap))


def render_vocals(rng: np.random.Generator, form: Form, choir: Choir) -> NDArray[np.float64]:
    """`[N]` float64 dry voice track of a song."""
    track = np.zeros(round(form.duration_s * SOURCE_RATE_HZ))
    for section in form.sections:
        if not section.sung:
            continue
        singer = choir.lead if section.kind != "verse" or rng.random() < 0.5 else choir.second
        for position, span in enumerate(phrase_spans(rng, form, section)):
            if form.second(span.start_beat) < form.duration_s - 1:
                _render_phrase(rng, form, choir, singer, span, position, track)
    return track


def _render_phrase(
    rng: np.random.Generator,
    form: Form,
    choir: Choir,
    singer: Singer,
    span: PhraseSpan,
    position: int,
    track: NDArray[np.float64],
) -> None:
    chorus = span.section.kind == "chorus"
    spoken = choir.rap and span.section.kind == "verse"
    text = _line(rng, form, choir, span, position, spoken)
    analysis = choir.analysis(singer, text, spoken)
    count = min(len(analysis.syllables), int(span.beats * 4))
    if not count:
        return
    lift = 2.5 if chorus else 0.0
    steps, notes = _melody(rng, form, span, singer, count, lift)
    overlay(track, sing(rng, analysis, notes, singer, spoken=spoken), SOURCE_RATE_HZ)
    if rng.random() < (0.4 if chorus else 0.15):
        take = second_take(rng, singer)
        overlay(track, sing(rng, analysis, _humanised(rng, notes), take, spoken=spoken), SOURCE_RATE_HZ)
    if chorus and not spoken:
        for backing, harmony in zip(choir.backing, HARMONY_STEPS, strict=False):
            if rng.random() < 0.75:
                _render_harmony(rng, form, choir, backing, text, notes, steps, harmony, track)


def _line(rng: np.random.Generator, form: Form, choir: Choir, span: PhraseSpan, position: int, spoken: bool) -> str:
    """The words of a phrase; choruses repeat theirs."""
    seconds = span.beats * 60 / form.tempo_bpm
    seconds_per_syllable = (
        rng.uniform(0.13, 0.2) if spoken else rng.choice((0.22, 0.32, 0.45, 0.8), p=(0.2, 0.38, 0.3, 0.12))
    )
    wanted = int(np.clip(round(seconds / seconds_per_syllable), 1, 3.4 * span.beats))
    chorus = span.section.kind == "chorus"
    if chorus and len(choir.chorus_lines) > position % 4:
        return choir.chorus_lines[position % 4]
    line = draw_line(rng, LANGUAGES[choir.lead.language], wanted)
    if chorus:
        choir.chorus_lines.append(line)
    return line


def _melody(
    rng: np.random.Generator, form: Form, span: PhraseSpan, singer: Singer, count: int, lift: float
) -> tuple[list[int], tuple[SungNote, ...]]:
    """Scale steps of every note, and the notes of `count` syllables, some with several notes."""
    melismas = int(rng.binomial(count, 0.08))
    melismas = min(melismas, int(span.beats * 4) - count)
    rhythm = draw_rhythm(rng, span.beats, count + melismas)
    onsets = [span.start_beat + start for start, _ in rhythm]
    pitches = draw_pitches(rng, form, span.section, onsets, singer.centre_pitch + lift, 5)
    lateness_s = float(rng.normal(0.01, 0.015))
    times = [form.second(onset) + lateness_s + float(rng.normal(0, 0.012)) for onset in onsets]
    end_s = form.second(span.start_beat + span.beats)
    continued = set(rng.choice(np.arange(1, len(onsets)), melismas, replace=False).tolist()) if melismas else set()
    firsts = [i for i in range(len(onsets)) if i not in continued]
    notes = []
    for first, following in zip(firsts, [*firsts[1:], len(onsets)], strict=True):
        until_s = times[following] if following < len(onsets) else end_s
        members = tuple((times[i], float(pitches[i])) for i in range(first, following))
        notes.append(SungNote(times[first], max(until_s, times[following - 1] + 0.08), members))
    return [form.key.nearest_step(pitch) for pitch in pitches], tuple(notes)


def _humanised(rng: np.random.Generator, notes: tuple[SungNote, ...]) -> tuple[SungNote, ...]:
    """The notes of another take: a little earlier or later, and a few cents off."""
    delay_s, offset = float(rng.normal(0.005, 0.02)), float(rng.normal(0, 0.06))
    return tuple(
        SungNote(
            note.start_s + delay_s,
            note.end_s + delay_s,
            tuple((start + delay_s, pitch + offset) for start, pitch in note.pitches),
        )
        for note in notes
    )


def _render_harmony(
    rng: np.random.Generator,
    form: Form,
    choir: Choir,
    singer: Singer,
    text: str,
    notes: tuple[SungNote, ...],
    steps: list[int],
    harmony: int,
    track: NDArray[np.float64],
) -> None:
    """A backing singer on the melody, some scale steps away, in the singer's own octave."""
    analysis = choir.analysis(singer, text, False)
    usable = min(len(notes), len(analysis.syllables))
    moved = iter(form.key.pitch(step + harmony) for step in steps)
    harmonised = []
    for note in notes:
        members = tuple((start, float(next(moved))) for start, _ in note.pitches)
        harmonised.append(SungNote(note.start_s, note.end_s, members))
    mean = np.mean([pitch for note in harmonised for _, pitch in note.pitches])
    octaves = 12 * round((singer.centre_pitch - float(mean)) / 12)
    harmonised = [
        SungNote(n.start_s, n.end_s, tuple((start, pitch + octaves) for start, pitch in n.pitches)) for n in harmonised
    ]
    quieter = second_take(rng, singer)
    if usable:
        take = sing(rng, analysis, _humanised(rng, tuple(harmonised[:usable])), quieter, spoken=False)
        overlay(track, take, SOURCE_RATE_HZ)
