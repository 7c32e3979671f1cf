"""Foreign sounds: the same every time, within full scale, and what their names say."""

from __future__ import annotations

import numpy as np
import pytest
from phonoscope_trainer.corpora.foreign import KINDS, MUSICAL, foreign_sound, made_here, noises
from phonoscope_trainer.corpora.made_clips import SAMPLE_RATE_HZ
from support.corpora.music import melody

FAST = [kind for kind in KINDS if not kind.startswith("speech") or "espeak" in kind]


def made(kind, seed=0, number=0):
    return foreign_sound(kind, seed, number, melody(2) if kind in MUSICAL else None)


@pytest.mark.parametrize("kind", FAST)
def test_a_sound_is_its_seeds_and_its_numbers(kind):
    sound = made(kind)
    if kind != "whisper":  # whose breath eSpeak NG draws by itself
        np.testing.assert_array_equal(made(kind), sound)
    assert sound.dtype == np.float32
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() <= 1
    assert len(sound) == len(melody(2)) if kind in MUSICAL else 8 * SAMPLE_RATE_HZ
    others = [made(kind, seed=1), made(kind, number=1), made(kind, number=2)]
    assert kind == "music at 8 kHz" or any(not np.array_equal(each, sound) for each in others)


def test_every_kind_of_speech_whose_synthesiser_is_there_is_made_here():
    assert "speech (espeak-ng)" in made_here()
    assert set(made_here()) <= set(KINDS)


def power_db(sound, low_hz, high_hz):
    power = np.abs(np.fft.rfft(sound)) ** 2
    hertz = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE_HZ)
    return 10 * np.log10(power[(hertz >= low_hz) & (hertz < high_hz)].mean() + 1e-20)


@pytest.mark.parametrize("octave_db", [0.0, -3.0, -6.0, 6.0])
def test_noise_has_the_slope_of_its_colour(octave_db):
    noise = noises.coloured(np.random.default_rng(0), 20 * SAMPLE_RATE_HZ, octave_db)
    slope = (power_db(noise, 3900, 4100) - power_db(noise, 487.5, 512.5)) / 3
    assert slope == pytest.approx(octave_db, abs=0.4)


def test_music_at_8_khz_has_nothing_above_4_khz():
    music = np.random.default_rng(0).standard_normal(2 * SAMPLE_RATE_HZ).astype(np.float32) * 0.1
    narrow = foreign_sound("music at 8 kHz", 0, 0, music)
    assert power_db(narrow, 500, 3000) - power_db(narrow, 4500, 10000) > 40


def test_clipped_music_is_at_full_scale_for_much_of_its_time():
    assert (np.abs(made("clipped music")) == 1).mean() > 0.3


def test_some_silence_is_digital():
    peaks = [np.abs(made("silence", number=number)).max() for number in range(12)]
    assert 0 in peaks
    assert max(peaks) < 1e-3
