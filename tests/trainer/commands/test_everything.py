"""The whole chain as one command: what it would run, what it skips, and how it stops."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from phonoscope_trainer.cli import get_parser, main
from phonoscope_trainer.commands import everything as command
from phonoscope_trainer.commands.plan import SCALES, steps

NAMED = "everything --scale cpu --name new-1 --corpora rendered"


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PHONOSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PHONOSCOPE_DATA", raising=False)
    return tmp_path


@pytest.fixture
def listing(place, monkeypatch):
    """Two cheap commands in place of hours of training: what is tested is how steps follow each other."""
    planned = [["corpus", "list"], ["corpus", "describe", "--corpus", "rendered"]]
    monkeypatch.setattr(command, "steps", lambda *given: planned)
    return planned


@pytest.mark.parametrize("scale", SCALES)
def test_every_planned_command_is_one_and_ends_in_a_bundle(scale):
    planned = steps(scale, Path("runs"), Path("bundle"), "new-1", ("rendered", "mir1k"), 2, Path("before"))
    parsed = [vars(get_parser().parse_args(arguments)) for arguments in planned]
    assert parsed[0]["corpora"] == ("rendered", "mir1k")
    assert str(parsed[0]["start"]) == "before"
    assert planned[-1][0] == "export"
    made = {each["folder"] for each in parsed if "folder" in each}
    needed = {run for each in parsed for name in ("detector", "gan", "masker") if (run := each.get(name))}
    assert needed <= made


def test_a_dry_run_prints_the_commands_and_leaves_nothing(place, capsys):
    assert main([*NAMED.split(), "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("[1/9] phonoscope-train detector --run runs/detector --corpora rendered")
    assert lines[-1].endswith("--name new-1 --out model_repository")
    assert list(place.iterdir()) == []


def test_the_paper_scale_is_the_papers(capsys):
    assert main(["everything", "--scale", "paper", "--name", "x-1", "--corpora", "rendered", "--dry-run"]) == 0
    text = capsys.readouterr().out
    assert "--recipe schlueter-2015 --updates 40000" in text
    assert "--iterations 600000" in text


def test_steps_that_ended_are_not_repeated_and_one_that_fails_is_gone_on_with(place, listing, capfd):
    assert main(NAMED.split()) == 1
    assert "corpus failed" in capfd.readouterr().err
    done = json.loads((place / "runs" / command.FINISHED).read_text())
    assert list(done) == ["phonoscope-train corpus list"]
    listing[1] = ["corpus", "list"]
    assert main(NAMED.split()) == 0
    printed = capfd.readouterr().out
    assert "[1/2] phonoscope-train corpus list  # done" in printed
    assert "where" not in printed


def test_a_step_is_stopped_in_time_as_a_person_would(place, listing, capfd):
    listing[0] = ["corpus", "rendered", "--songs", "500", "--workers", "1"]
    assert main([*NAMED.split(), "--minutes", "0.05"]) == 130
    assert "run the same command again" in capfd.readouterr().err
    assert not (place / "runs" / command.FINISHED).exists()


def test_a_broken_record_is_named(place, capsys):
    (place / "runs").mkdir()
    (place / "runs" / command.FINISHED).write_text("not json")
    assert main([*NAMED.split(), "--dry-run"]) == 1
    assert "everything.json cannot be read" in capsys.readouterr().err


def test_without_music_there_is_nothing_to_do(place, capsys):
    assert main(["everything", "--scale", "cpu", "--name", "x-1"]) == 1
    assert "no corpus to train on" in capsys.readouterr().err
