"""What a run's folder remembers of how it was made."""

from __future__ import annotations

import json
import shlex

import pytest
from phonoscope_trainer.command_line import running, this_command
from phonoscope_trainer.errors import CheckpointError
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.masker.training import MaskerOptions

OPTIONS = MaskerOptions(updates=3, detector="runs/detector")


def test_a_command_is_recorded_as_it_would_be_typed(tmp_path):
    typed = ["masker", "--run", "runs/a masker", "--detector", "runs/detector"]
    with running(typed):
        checkpoint.open_run(tmp_path, OPTIONS)
    (command,) = checkpoint.commands(tmp_path)
    assert shlex.split(command) == ["phonoscope-train", *typed]
    assert this_command() == ""


def test_a_run_that_goes_on_keeps_its_first_command(tmp_path):
    for arguments in (["masker", "--run", "one"], ["masker", "--run", "another"]):
        with running(arguments):
            checkpoint.open_run(tmp_path, OPTIONS)
    assert checkpoint.commands(tmp_path) == ["phonoscope-train masker --run one"]


def test_a_run_knows_the_commands_of_those_it_started_from_first_things_first(tmp_path):
    before = ""
    for name in ("first", "second", "third"):
        with running(["masker", "--run", name]):
            checkpoint.open_run(tmp_path / name, MaskerOptions(start=before))
        before = str(tmp_path / name)
    names = [command.split()[-1] for command in checkpoint.commands(tmp_path / "third")]
    assert names == ["first", "second", "third"]


def test_of_a_run_without_a_command_the_options_are_told_in_a_comment(tmp_path):
    checkpoint.open_run(tmp_path, OPTIONS)  # as Python does, and as runs were kept before commands were
    (command,) = checkpoint.commands(tmp_path)
    assert shlex.split(command, comments=True) == []
    assert json.loads(command.partition("its options: ")[2]) == checkpoint.options(tmp_path)
    with running(["masker", "--run", "one"]):
        checkpoint.open_run(tmp_path, OPTIONS)
    assert checkpoint.commands(tmp_path) == ["phonoscope-train masker --run one"]


def test_a_start_that_is_gone_is_named(tmp_path):
    checkpoint.open_run(tmp_path, MaskerOptions(start=str(tmp_path / "gone")))
    with pytest.raises(CheckpointError, match="gone holds no run"):
        checkpoint.commands(tmp_path)
