"""Runs that can be killed: one folder a run, with its options, its command, its checkpoint and its log."""

from __future__ import annotations

import dataclasses
import json
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from phonoscope_trainer.command_line import this_command
from phonoscope_trainer.errors import CheckpointError
from phonoscope_trainer.repository.manifest import MANIFEST
from phonoscope_trainer.writing import write_text, written_whole

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

OPTIONS, COMMAND, CHECKPOINT = "options.json", "command.txt", "checkpoint.pt"


def open_run(folder: Path, options: DataclassInstance) -> dict[str, Any] | None:
    """Create a run's folder, or find it again: its last checkpoint, or None for a fresh run.

    An option that did not exist when the run began is not compared. The command line that first opens the run is kept
    with it; one that goes on with it asks for the same options and is not.

    Raises:
        CheckpointError: the folder holds a run with other options; the message names those that differ.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stored, given = folder / OPTIONS, json.loads(json.dumps(dataclasses.asdict(options)))
    if stored.exists():
        before = json.loads(stored.read_text(encoding="utf-8"))
        differing = sorted(name for name, value in before.items() if given.get(name) != value)
        if differing:
            raise CheckpointError(
                f"{folder} holds a run with other options ({', '.join(differing)}); name another folder"
            )
    write_text(stored, json.dumps(given, indent=2) + "\n")
    if this_command() and not (folder / COMMAND).exists():
        write_text(folder / COMMAND, this_command() + "\n")
    return load(folder) if (folder / CHECKPOINT).exists() else None


def options(folder: Path) -> dict[str, Any]:
    """The options a run was started with.

    Raises:
        CheckpointError: the folder holds no run.
    """
    path = folder / OPTIONS
    if not path.is_file():
        raise CheckpointError(
            f"{folder} holds no run: {OPTIONS} is missing; a training command with --run {folder} makes one"
        )
    stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return stored


def commands(folder: Path) -> list[str]:
    """The command lines that made a run: of the run or the bundle it started from, of runs it is the mean of, its own.

    Of a run without one (Python made it, or it is older than this record) a comment says what its options were.

    Raises:
        CheckpointError: the folder, or that of a run before it, holds no run.
    """
    asked, path = options(folder), folder / COMMAND
    start = asked.get("start")
    before = _commands_before(Path(start)) if start else []
    for run in asked.get("averaged", ()):
        before += [line for line in commands(Path(run)) if line not in before]
    if path.is_file():
        return [*before, path.read_text(encoding="utf-8").strip()]
    return [*before, f"# {folder}: no command was recorded; its options: {json.dumps(asked)}"]


def _commands_before(start: Path) -> list[str]:
    """What led to a run, or to a bundle, that another run started from."""
    manifest = start / MANIFEST
    if not manifest.is_file():
        return commands(start)
    stored: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
    return [f"# {stored['name']}, whose commands were:", stored["command"]]


def save(folder: Path, state: dict[str, Any]) -> None:
    """Replace a run's checkpoint in one step, so that a kill leaves the old one or the new one."""
    with written_whole(folder / CHECKPOINT) as unfinished:
        torch.save(state, unfinished)


def load(folder: Path) -> dict[str, Any]:
    """A run's last checkpoint.

    Raises:
        CheckpointError: there is none, or it cannot be read.
    """
    path = folder / CHECKPOINT
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} is missing: train there first") from error
    except (RuntimeError, EOFError, OSError, KeyError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error
    return state
