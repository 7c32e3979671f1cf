"""The feature cache: what is kept, and when it is made again."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from phonoscope_trainer.corpora.corpus import Segment, Track
from phonoscope_trainer.corpora.features import features, frame_magnitudes
from phonoscope_trainer.frontends.mel import Frontend
from support.corpora.music import melody


@pytest.fixture
def track(tmp_path, monkeypatch) -> Track:
    monkeypatch.setenv("PHONOSCOPE_CACHE", str(tmp_path / "cache"))
    for seed, stem in enumerate(("voice", "accompaniment")):
        soundfile.write(tmp_path / f"{stem}.wav", 0.4 * melody(1.0, seed), 22050, subtype="FLOAT")
    return Track(
        "a",
        "a",
        "train",
        (Segment(0.2, 0.5),),
        voice=tmp_path / "voice.wav",
        accompaniment=tmp_path / "accompaniment.wav",
    )


def test_mixture_and_stems_are_kept_with_a_label_for_every_frame(track):
    (kept,) = features([track], Frontend())
    mixture = 0.4 * (melody(1.0, 0) + melody(1.0, 1))
    assert kept.has_stems
    assert kept.magnitudes.shape == (3, 67, 372)
    assert kept.labels.sum() == 21
    np.testing.assert_allclose(kept.magnitudes[0], frame_magnitudes(Frontend(), mixture), rtol=2e-3, atol=1e-3)


def test_a_second_call_reads_what_the_first_one_wrote(track, tmp_path):
    features([track], Frontend())
    (entry,) = (tmp_path / "cache" / "features").iterdir()
    written = entry.stat().st_mtime_ns
    features([track], Frontend())
    assert entry.stat().st_mtime_ns == written


def test_changed_audio_is_not_answered_from_the_cache(track):
    (before,) = features([track], Frontend())
    soundfile.write(track.voice, np.zeros(22050, np.float32), 22050, subtype="FLOAT")
    (after,) = features([track], Frontend())
    assert after.magnitudes[1].max() == 0 < before.magnitudes[1].max()
