"""Speech turned into singing: syllables on their notes, and the pitch that was asked for."""

from __future__ import annotations

import numpy as np
import pytest
from phonoscope_trainer.corpora.rendered.activity import sung_segments
from phonoscope_trainer.corpora.rendered.lyrics import LANGUAGES
from phonoscope_trainer.corpora.rendered.singer import FEMALE_VARIANTS, MALE_VARIANTS, draw_singer
from phonoscope_trainer.corpora.rendered.singing import SungNote, align, sing
from phonoscope_trainer.corpora.rendered.speech import Syllable, speak
from phonoscope_trainer.corpora.rendered.vocoder import FRAME_S, analyse, pyworld
from phonoscope_trainer.errors import CorpusError

RATE_HZ = 22_050


def say(text: str, voice: str):
    return speak(text, voice, words_per_minute=140, pitch=40, pitch_range=4)


def test_speech_is_the_same_every_time():
    first = say("hold me tonight", "en-us+m3")
    say("something else", "de+f1")
    np.testing.assert_array_equal(say("hold me tonight", "en-us+m3").samples, first.samples)


def test_syllables_are_the_vowels_in_order():
    utterance = say("amor de mi vida", "es")
    assert len(utterance.syllables) == 6
    for syllable in utterance.syllables:
        assert syllable.start_s <= syllable.vowel_s < syllable.coda_s
    starts = [syllable.start_s for syllable in utterance.syllables]
    assert starts == sorted(starts)
    assert utterance.syllables[-1].coda_s <= len(utterance.samples) / utterance.sample_rate_hz


@pytest.mark.parametrize("name", LANGUAGES)
def test_every_language_has_voices_that_say_its_words(name):
    language = LANGUAGES[name]
    for voice in language.voices:
        for variant in (MALE_VARIANTS[0], FEMALE_VARIANTS[0]):
            assert len(say(" ".join(language.words[:4]), f"{voice}+{variant}").syllables) >= 2


def test_an_unknown_voice_is_named():
    with pytest.raises(CorpusError, match="no voice 'nowhere'"):
        say("la", "nowhere")


def test_vowels_start_on_their_notes_and_consonants_come_before():
    syllables = (Syllable(0.0, 0.08, 0.2), Syllable(0.25, 0.32, 0.5))
    notes = (SungNote(1.0, 1.6, ((1.0, 60),)), SungNote(1.6, 2.4, ((1.6, 62),)))
    start_s, source_s = align(syllables, notes)
    output_s = start_s + FRAME_S * np.arange(len(source_s))
    assert start_s < 1.0
    assert np.interp(1.0, output_s, source_s) == pytest.approx(0.08, abs=FRAME_S)
    assert np.interp(1.6, output_s, source_s) == pytest.approx(0.32, abs=FRAME_S)
    assert np.interp(1.6 - 0.07, output_s, source_s) == pytest.approx(0.25, abs=FRAME_S)
    assert (np.diff(source_s) >= 0).all()


@pytest.mark.parametrize("pitches", [(57, 60, 64), (64, 62, 57)])
def test_the_sung_pitch_follows_the_melody(pitches):
    rng = np.random.default_rng(0)
    singer = draw_singer(rng, "Italian", ("it",))
    analysis = analyse(say("la la la", "it+m3"))
    starts = (1.0, 1.7, 2.4)
    notes = tuple(SungNote(s, s + 0.7, ((s, float(p)),)) for s, p in zip(starts, pitches, strict=True))
    take = sing(rng, analysis, notes, singer, spoken=False)
    f0, times = pyworld.harvest(take.samples, RATE_HZ)
    for start_s, pitch in zip(starts, pitches, strict=True):
        middle = (times + take.start_s > start_s + 0.25) & (times + take.start_s < start_s + 0.5) & (f0 > 0)
        measured = 69 + 12 * np.log2(np.median(f0[middle]) / 440)
        assert measured == pytest.approx(pitch, abs=1.0)


def test_segments_join_short_rests_and_keep_long_ones():
    voice = np.zeros(4 * RATE_HZ)
    tone = np.sin(np.arange(RATE_HZ) * 0.1)
    for start_s, end_s in ((0.5, 1.0), (1.2, 1.5), (2.5, 3.0)):
        first, last = int(start_s * RATE_HZ), int(end_s * RATE_HZ)
        voice[first:last] = tone[: last - first]
    segments = sung_segments(voice, RATE_HZ)
    assert [(s.start_s, s.end_s) for s in segments] == [
        (pytest.approx(0.5, abs=0.02), pytest.approx(1.5, abs=0.02)),
        (pytest.approx(2.5, abs=0.02), pytest.approx(3.0, abs=0.02)),
    ]


def test_a_silent_voice_has_no_segments():
    assert sung_segments(np.zeros(RATE_HZ), RATE_HZ) == ()
