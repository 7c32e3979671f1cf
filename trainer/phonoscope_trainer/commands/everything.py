"""`phonoscope-train everything`: the whole chain from corpora to a bundle, step by step, each in a run of its own.

Every step is an ordinary command in a process of its own and can be killed: the same call goes on from its last
checkpoint, and steps that ended are not repeated. What was run is kept in the runs, as always, and so in the manifest.
"""

from __future__ import annotations

import argparse
import json
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from phonoscope_trainer.command_line import PROGRAM
from phonoscope_trainer.commands.options import Verbs, names
from phonoscope_trainer.commands.plan import SCALES, Scale, steps
from phonoscope_trainer.corpora import named
from phonoscope_trainer.errors import CheckpointError, CorpusError
from phonoscope_trainer.writing import write_text

FINISHED = "everything.json"  # in the folder of the runs: the steps that ended, and how long their last call took
# A shell that puts this program in the background has it ignore Ctrl-C, and steps would inherit that.
RUNNING = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from phonoscope_trainer.cli import main; sys.exit(main())"
)
GRACE_S = 60.0  # for a step that is stopped to leave


def add(verbs: Verbs) -> None:
    """`everything`: every network and the bundle."""
    parser = verbs.add_parser(
        "everything",
        help="train every network and export them, step by step",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--scale", choices=SCALES, required=True, help="paper: as the papers say, on a GPU; cpu: what two cores can do"
    )
    parser.add_argument("--name", required=True, help="the bundle's name and version, such as svdnet-2026.11")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of the runs (default %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("model_repository"), help="the bundle (default %(default)s)")
    parser.add_argument("--corpora", type=names, help="to learn from (default: every labelled corpus that is found)")
    parser.add_argument("--start", type=Path, help="a run or a bundle that the detector goes on from")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (default %(default)s)")
    parser.add_argument("--minutes", type=float, help="stop after so many, to be gone on with (default: at the end)")
    parser.add_argument("--dry-run", action="store_true", help="print the commands, and which of them are done")
    parser.set_defaults(run=everything)


def everything(
    scale: Scale,
    name: str,
    runs: Path,
    out: Path,
    corpora: Sequence[str] | None,
    start: Path | None,
    threads: int,
    minutes: float | None,
    dry_run: bool,
) -> None:
    """Run what is not done yet of a scale's steps."""
    chosen = tuple(corpora or named.available())
    if not chosen:
        raise CorpusError("no corpus to train on: `phonoscope-train corpus rendered` makes one from nothing")
    planned = steps(scale, runs, out, name, chosen, threads, start)
    done = _finished(runs)
    ends_at = time.monotonic() + 60 * minutes if minutes else None
    for number, arguments in enumerate(planned, start=1):
        command = shlex.join([PROGRAM, *arguments])
        print(f"[{number}/{len(planned)}] {command}" + ("  # done" if command in done else ""), flush=True)
        if dry_run or command in done:
            continue
        began = time.monotonic()
        _run(arguments, None if ends_at is None else ends_at - began)
        runs.mkdir(parents=True, exist_ok=True)
        done[command] = round(time.monotonic() - began, 1)
        write_text(runs / FINISHED, json.dumps(done, indent=2) + "\n")


def _finished(runs: Path) -> dict[str, float]:
    """The commands that ended, and the seconds their last call took."""
    path = runs / FINISHED
    if not path.is_file():
        return {}
    try:
        found: dict[str, float] = dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error
    return found


def _run(arguments: Sequence[str], seconds: float | None) -> None:
    """One command to its end; after so many seconds it is stopped as if Ctrl-C were pressed.

    Raises:
        CheckpointError: it failed; what was wrong it has said itself.
        KeyboardInterrupt: it was stopped.
    """
    process = subprocess.Popen([sys.executable, "-c", RUNNING, *arguments])  # noqa: S603 - this program, of a fixed plan
    try:
        status = process.wait(None if seconds is None else max(0.0, seconds))
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.send_signal(signal.SIGINT)
        try:
            process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise KeyboardInterrupt from None
    if status == 128 + signal.SIGINT:
        raise KeyboardInterrupt
    if status:
        raise CheckpointError(f"{arguments[0]} failed; the same command goes on from where it was")
