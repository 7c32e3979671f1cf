"""The accompaniment: notes within range and inside their bars, and a synthesiser that repeats itself."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from phonoscope_trainer.corpora.rendered.band import RHYTHMS, arrange
from phonoscope_trainer.corpora.rendered.bending import bend
from phonoscope_trainer.corpora.rendered.drums import PATTERNS
from phonoscope_trainer.corpora.rendered.form import compose_form
from phonoscope_trainer.corpora.rendered.harmony import SCALES, Chord, Key
from phonoscope_trainer.corpora.rendered.melody import draw_rhythm
from phonoscope_trainer.corpora.rendered.notes import Note, Part
from phonoscope_trainer.corpora.rendered.options import SOURCE_RATE_HZ
from phonoscope_trainer.corpora.rendered.soundfont import render_part
from phonoscope_trainer.corpora.rendered.styles import STYLES


def test_many_arrangements_stay_within_midi_and_the_song():
    for seed in range(150):
        rng = np.random.default_rng(seed)
        form = compose_form(rng, 30.0)
        assert form.sections[0].start_beat == 0
        for part in arrange(rng, form):
            assert 0 <= part.program < 128
            for note in part.notes:
                assert 0 <= note.pitch < 128
                assert 1 <= note.velocity < 128
                assert note.beats > 0


def test_sections_follow_each_other_and_fill_the_song():
    for seed in range(50):
        form = compose_form(np.random.default_rng(seed), 45.0)
        for before, after in pairwise(form.sections):
            assert after.start_beat == before.start_beat + before.beats
        last = form.sections[-1]
        assert form.second(last.start_beat + last.beats) >= 45.0


def test_every_style_names_patterns_that_exist():
    broken = {"sustain", "arpeggio", "picking", "montuno", "offbeat"}
    for style in STYLES:
        assert set(style.drums) <= set(PATTERNS)
        assert set(style.bass_patterns) <= {*RHYTHMS, "sixteenths", "offbeat"}
        for _, patterns in style.comping:
            assert set(patterns) <= {*RHYTHMS, *broken}


@pytest.mark.parametrize("mode", SCALES)
def test_a_chord_holds_exactly_its_own_notes(mode):
    key = Key(2, mode)
    chord = Chord(4)
    voicing = {pitch % 12 for pitch in chord.voicing(key, 50)}
    for step in range(-7, 14):
        assert chord.holds(step, key) == (key.pitch(step) % 12 in voicing)


@pytest.mark.parametrize(("beats", "count"), [(4.0, 1), (4.0, 5), (3.5, 14), (1.0, 4), (2.0, 9)])
def test_a_rhythm_has_as_many_notes_as_asked_and_fills_its_beats(beats, count):
    rhythm = draw_rhythm(np.random.default_rng(0), beats, count)
    assert len(rhythm) == count
    assert rhythm[0][0] == 0
    for (start, length), (following, _) in pairwise(rhythm):
        assert start + length == pytest.approx(following)
    assert sum(length for _, length in rhythm) == pytest.approx(beats)


def test_the_synthesiser_repeats_itself_after_playing_something_else():
    form = compose_form(np.random.default_rng(1), 6.0)
    sax = Part("lead", 65, tuple(Note(i, 0.9, 60 + i, 100) for i in range(8)), "melody")
    guitar = Part("lead", 29, tuple(Note(i, 0.9, 90 + i, 100) for i in range(8)), "melody")
    first = render_part(np.random.default_rng(2), form, sax)
    render_part(np.random.default_rng(3), form, guitar)
    np.testing.assert_array_equal(render_part(np.random.default_rng(2), form, sax), first)
    assert np.abs(first).max() > 0.01


def test_a_bent_tone_keeps_its_length_and_mean_pitch():
    form = compose_form(np.random.default_rng(1), 3.0)
    times = np.arange(3 * SOURCE_RATE_HZ) / SOURCE_RATE_HZ
    tone = np.sin(2 * np.pi * 440 * times).astype(np.float32)
    bent = bend(np.random.default_rng(4), form, (Note(0, 8, 69, 100),), tone)
    assert bent.shape == tone.shape
    crossings = np.count_nonzero(np.diff(np.signbit(bent)))
    assert crossings / 2 / 3 == pytest.approx(440, rel=0.01)
