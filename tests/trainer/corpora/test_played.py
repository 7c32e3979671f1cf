"""What sways like a voice and is none: repeatable, never sung, and as deep as it says."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.made_clips import SAMPLE_RATE_HZ, ClipOptions
from phonoscope_trainer.corpora.played import PLAYED, store
from phonoscope_trainer.corpora.played.swaying import CONTROL_RATE_HZ, DEEPEST_SEMITONES, played_with, sway
from phonoscope_trainer.corpora.played.tones import siren, tone


@pytest.fixture
def one_soundfont(monkeypatch):
    """As on a machine with no other soundfont than pretty_midi's."""
    monkeypatch.setattr(store, "SOUNDFONTS", {"TimGM6mb": None})


@pytest.mark.usefixtures("one_soundfont")
def test_clips_are_the_same_every_time_and_nobody_sings_in_them(tmp_path):
    corpora = [PLAYED.render(tmp_path / name, ClipOptions(clips=4), progress=False) for name in ("one", "other")]
    for one, other in zip(corpora[0].tracks, corpora[1].tracks, strict=True):
        assert (one.vocals, one.kind) == ((), "played")
        samples = [soundfile.read(track.audio[0])[0] for track in (one, other)]
        np.testing.assert_array_equal(*samples)
        assert np.abs(samples[0]).max() == pytest.approx(0.5, abs=0.01)
    assert named.load(f"played:{tmp_path / 'one'}").digest == corpora[0].digest


def test_a_swaying_pitch_is_that_of_a_record_on_a_swaying_turntable():
    """Read at a speed of 2^(s/12), a tone has 2^(s/12) times its pitch: counted by the turns of its phase."""
    hertz, semitones = 500.0, np.full(2 * CONTROL_RATE_HZ, 3.0)
    steady = np.sin(2 * np.pi * hertz * np.arange(2 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ)
    higher = played_with(steady, semitones, SAMPLE_RATE_HZ)[:SAMPLE_RATE_HZ]
    rises = np.count_nonzero((higher[:-1] < 0) & (higher[1:] >= 0))
    assert rises == pytest.approx(hertz * 2 ** (3 / 12), abs=2)


def test_vibrato_is_sometimes_absent_and_as_deep_as_two_semitones():
    depths = [np.abs(sway(np.random.default_rng(seed), 4.0)).max() for seed in range(60)]
    assert min(depths) == 0
    assert 1.0 < max(depths) < 2 * DEEPEST_SEMITONES


@pytest.mark.parametrize("sound", [siren, tone])
def test_oscillators_sound_throughout(sound):
    for seed in range(5):
        samples = sound(np.random.default_rng(seed), 3.0)
        assert len(samples) == 3 * SAMPLE_RATE_HZ
        assert np.isfinite(samples).all()
        assert all(np.abs(part).max() > 0.1 for part in np.array_split(samples, 10))
