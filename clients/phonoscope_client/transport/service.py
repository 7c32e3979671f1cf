"""Runs `phonoscope-serve` as a child process for as long as it is needed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from phonoscope_client.errors import UnavailableError

PROGRAM = "phonoscope-serve"
# Both guard against what hangs, not against what is slow: a busy machine may take minutes to load a bundle.
READY_TIMEOUT_S = 600.0
STOP_TIMEOUT_S = 60.0
LOG_TAIL_LINES = 12
_NOT_INSTALLED = f"{PROGRAM} is not installed; `pip install 'phonoscope[serving]'`, or name a service with --server"


@dataclass(frozen=True)
class RunningService:
    """A service of one's own.

    Attributes:
        address: where it answers, `host:port`.
        metrics_address: where Prometheus finds its metrics, `host:port`.
        log_path: what it has logged so far.
        process: the service itself; it has a return code once the `with` block has ended.
    """

    address: str
    metrics_address: str
    log_path: Path
    process: subprocess.Popen[bytes]


@contextmanager
def running_service(
    arguments: Sequence[str] = (),
    *,
    program: str | None = None,
    log_path: Path | None = None,
    ready_timeout_s: float = READY_TIMEOUT_S,
    note: Callable[[str], None] = lambda _: None,
) -> Iterator[RunningService]:
    """A service of one's own on free local ports, stopped at the end of the `with` block.

    Args:
        arguments: further arguments of `phonoscope-serve`, such as `["--model-repository", "bundle"]`.
        program: path of `phonoscope-serve`; None finds the one beside this Python, else the one on the path.
        log_path: the file its log goes to; None for one that goes when the service does.
        ready_timeout_s: seconds it may take to become ready.
        note: told in a few words how starting goes.

    Raises:
        UnavailableError: the program is missing, or ended or hung before it was ready; shows its log's end.
    """
    with tempfile.TemporaryDirectory(prefix="phonoscope-") as folder:
        ready_path, log_path = Path(folder, "ready.json"), log_path or Path(folder, "log")
        command = [program or _program(), "--address", "127.0.0.1:0", "--metrics-address", "127.0.0.1:0"]
        command += ["--ready-file", os.fspath(ready_path), "--stop-with-input", *arguments]
        note("starting a service for this call ...")
        started_s = time.monotonic()
        process = _start(command, log_path)
        try:
            _wait_until_ready(process, ready_path, log_path, ready_timeout_s)
            note(f"ready after {time.monotonic() - started_s:.1f} s")
            ready = json.loads(ready_path.read_text())
            yield RunningService(ready["address"], ready["metrics_address"], log_path, process)
        finally:
            _stop(process)


def _start(command: Sequence[str], log_path: Path) -> subprocess.Popen[bytes]:
    with log_path.open("wb") as log:
        try:
            # A session of its own keeps Ctrl-C from reaching it: it is stopped by its starter, and in order. Its input
            # is a pipe that nobody writes to: it ends with its starter, however that ends, and the service with it.
            return subprocess.Popen(  # noqa: S603 - ours
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
            )
        except OSError as error:
            raise UnavailableError(f"{command[0]} cannot be started: {error.strerror}") from error


def _program() -> str:
    """The one installed beside this Python, else the one on the path."""
    found = shutil.which(PROGRAM, path=os.fspath(Path(sys.executable).parent)) or shutil.which(PROGRAM)
    if found is None:
        raise UnavailableError(_NOT_INSTALLED)
    return found


def _wait_until_ready(
    process: subprocess.Popen[bytes], ready_path: Path, log_path: Path, ready_timeout_s: float
) -> None:
    give_up_s = time.monotonic() + ready_timeout_s
    while not ready_path.exists():
        if process.poll() is not None:
            raise _failed(f"ended with status {process.returncode} before it was ready", log_path)
        if time.monotonic() > give_up_s:
            raise _failed(f"was not ready within {ready_timeout_s:g} s", log_path)
        time.sleep(0.02)


def _failed(how: str, log_path: Path) -> UnavailableError:
    log = log_path.read_text(errors="replace")
    if "ModuleNotFoundError" in log:  # the command comes with every install, what it needs only with the extra
        return UnavailableError(f"{_NOT_INSTALLED}\n{log.strip().splitlines()[-1]}")
    tail = "\n".join(log.splitlines()[-LOG_TAIL_LINES:])
    return UnavailableError(f"{PROGRAM} {how}; its log ends:\n{tail}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    finally:
        if process.stdin:
            process.stdin.close()
