"""Synthesised speech: repeatable, resumable, never sung."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile
from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.made_clips import ClipOptions
from phonoscope_trainer.corpora.speech import SPEECH, synthesisers
from phonoscope_trainer.errors import CorpusError

ONE = ClipOptions(clips=1)


@pytest.fixture
def espeak_alone(monkeypatch):
    """As on a machine with no other synthesiser."""
    monkeypatch.setattr(synthesisers.shutil, "which", lambda program: None)


@pytest.mark.usefixtures("espeak_alone")
def test_speech_is_the_same_every_time_and_nobody_sings_in_it(tmp_path):
    corpora = [SPEECH.render(tmp_path / name, ONE, progress=False) for name in ("one", "other")]
    (track,) = corpora[0].tracks
    assert (track.vocals, track.kind) == ((), "speech")
    one, other = (soundfile.read(corpus.tracks[0].audio[0])[0] for corpus in corpora)
    np.testing.assert_array_equal(one, other)
    assert 2 < len(one) / 22_050 < 60
    assert np.abs(one).max() == pytest.approx(0.5, abs=0.01)


@pytest.mark.usefixtures("espeak_alone")
def test_what_was_begun_goes_on_and_other_speech_is_refused(tmp_path):
    SPEECH.render(tmp_path, ONE, progress=False)
    spoken = (tmp_path / "audio/speech_00000.flac").stat().st_mtime_ns
    corpus = SPEECH.render(tmp_path, ClipOptions(clips=2), progress=False)
    assert len(corpus.tracks) == 2
    assert (tmp_path / "audio/speech_00000.flac").stat().st_mtime_ns == spoken
    assert named.load(f"speech:{tmp_path}").digest == corpus.digest
    with pytest.raises(CorpusError, match="seed 0"):
        SPEECH.render(tmp_path, ClipOptions(seed=1), progress=False)


def test_a_synthesiser_that_is_gone_is_named(tmp_path, monkeypatch):
    begun = {"version": 1, "options": {"seed": 0, "clips": 1}, "synthesisers": ["espeak-ng", "flite"]}
    (tmp_path / SPEECH.manifest).write_text(json.dumps(begun))
    monkeypatch.setattr(synthesisers.shutil, "which", lambda program: None)
    with pytest.raises(CorpusError, match="begun with flite"):
        SPEECH.render(tmp_path, ONE, progress=False)


@pytest.mark.parametrize("name", ["flite", "festival"])
def test_each_synthesiser_of_this_machine_speaks(name):
    if name not in synthesisers.installed():
        pytest.skip(f"{name} is not installed")
    spoken = synthesisers.SYNTHESISERS[name](np.random.default_rng(0), lambda language: "my heart is in the river")
    assert 0.5 < len(spoken.samples) / spoken.sample_rate_hz < 10
    assert np.abs(spoken.samples).max() > 0.05
