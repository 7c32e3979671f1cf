"""Instruments sound at the pitch they are asked for."""

from __future__ import annotations

import numpy as np
import pytest
from phonoscope_trainer.corpora.rendered.options import SOURCE_RATE_HZ
from phonoscope_trainer.corpora.rendered.soundfont import PlayedNote, render_notes
from phonoscope_trainer.corpora.rendered.tuned_soundfont import soundfont, tuned, tuned_soundfont

ORGAN, PIANO, STRINGS, GUITAR = 16, 0, 48, 27


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PHONOSCOPE_CACHE", str(tmp_path))


def loudest_hz(samples: np.ndarray) -> float:
    held = samples[SOURCE_RATE_HZ // 2 : SOURCE_RATE_HZ]
    spectrum = np.abs(np.fft.rfft(held * np.hanning(len(held)), 2**17))
    return float(np.argmax(spectrum[10:]) + 10) * SOURCE_RATE_HZ / 2**17


@pytest.mark.parametrize("program", [ORGAN, PIANO, STRINGS, GUITAR])
@pytest.mark.parametrize("key", [46, 57, 69])
def test_a_held_note_is_in_tune(program, key):
    samples = render_notes([PlayedNote(0.0, 1.2, key, 96)], program, 1.5)
    fundamental_hz = 440 * 2 ** ((key - 69) / 12)
    partial = 2 * loudest_hz(samples) / fundamental_hz  # an organ's lowest pipe is an octave below
    assert abs(partial - round(partial)) < 0.02 * partial


def test_tuning_twice_changes_nothing_that_is_heard():
    once = tuned(soundfont().read_bytes())
    assert tuned(once)[:4] == b"RIFF"
    assert len(once) > soundfont().stat().st_size


def test_whoever_has_another_cache_gets_the_soundfont_there(tmp_path, monkeypatch):
    for name in ("one", "another"):
        monkeypatch.setenv("PHONOSCOPE_CACHE", str(tmp_path / name))
        place = tuned_soundfont()
        assert place.is_file()
        assert place.is_relative_to(tmp_path / name)
