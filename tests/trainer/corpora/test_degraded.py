"""Degraded copies: as long as what they are copies of, in time with it, in its splits."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from phonoscope_trainer.corpora.audio import read_mono
from phonoscope_trainer.corpora.corpus import Corpus, Segment, Track
from phonoscope_trainer.corpora.degraded import CODINGS, SAMPLE_RATE_HZ, coded, degrade, degraded
from support.corpora.music import melody


@pytest.mark.parametrize("coding", CODINGS, ids=lambda coding: coding.codec)
def test_a_codec_gives_back_the_sound_in_time(coding):
    rate = coding.sample_rates_hz[1]
    samples = 0.5 * melody(3.0, sample_rate_hz=rate)
    heard = coded(samples, rate, coding, coding.kilobits[1])
    count = min(len(samples), len(heard))
    assert count >= len(samples) - 0.1 * rate
    lags = np.correlate(heard[rate : count - rate // 2], samples[rate - 500 : count - rate // 2 + 500], "valid")
    assert abs(int(np.argmax(lags[::-1])) - 500) <= 3
    assert not np.array_equal(heard[:count], samples[:count])


def test_a_copy_has_the_length_and_the_peak_of_the_original():
    samples = 0.3 * melody(1.7, sample_rate_hz=SAMPLE_RATE_HZ)
    for seed in range(8):
        copy = degraded(samples, np.random.default_rng(seed))
        assert len(copy) == len(samples)
        assert np.abs(copy).max() <= 0.3001 * np.abs(melody(1.7, sample_rate_hz=SAMPLE_RATE_HZ)).max()
        assert np.square(copy).mean() > 0.01 * np.square(samples).mean()


def test_copies_keep_splits_groups_and_labels_and_are_made_once(tmp_path):
    tracks = []
    for name, split in (("songs/a", "train"), ("songs/b", "valid"), ("songs/c", "test")):
        path = tmp_path / f"{name}.wav"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, 0.3 * melody(1.0, sample_rate_hz=SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
        tracks.append(Track(name, f"artist of {name}", split, (Segment(0.25, 0.5),), mixture=path))
    original = Corpus("mine", "CC0 1.0", tuple(tracks))
    copies = degrade(original, tmp_path / "copies", ("train", "valid"), progress=False)
    assert [(t.name, t.group, t.split, t.vocals, t.kind) for t in copies.tracks] == [
        (t.name, t.group, t.split, t.vocals, "degraded") for t in tracks[:2]
    ]
    assert copies.licence == "CC0 1.0"
    again = degrade(original, tmp_path / "again", ("train", "valid"), progress=False)
    for one, other in zip(copies.tracks, again.tracks, strict=True):
        np.testing.assert_array_equal(read_mono(one.audio[0], 22_050), read_mono(other.audio[0], 22_050))
    made = copies.tracks[0].audio[0].stat().st_mtime_ns
    degrade(original, tmp_path / "copies", ("train", "valid"), progress=False)
    assert copies.tracks[0].audio[0].stat().st_mtime_ns == made
