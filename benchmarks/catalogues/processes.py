"""The programs that are killed: a job, a worker of Ray, the service."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

from phonoscope_client import RunningService, running_service


class MortalService:
    """A service that answers at the same address again after it was killed; use it in `with`.

    Args:
        options: of `phonoscope-serve`.
    """

    def __init__(self, options: list[str]) -> None:
        self._options, self._opened = options, ExitStack()
        self._running: RunningService | None = None

    def start(self) -> str:
        """Starts it, or starts it again; its address."""
        where = ["--address", self._running.address] if self._running else []
        self._running = self._opened.enter_context(running_service([*self._options, *where]))
        return self._running.address

    def kill(self) -> None:
        """Kills it as a power cut does."""
        assert self._running is not None
        self._running.process.kill()
        self._running.process.wait()

    def __enter__(self) -> MortalService:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()


class Job:
    """One run of `phonoscope batch`, as a process; use it in `with`.

    Args:
        folder: its input.
        out: its folder.
        address: of the service.
        options: further ones.
    """

    def __init__(self, folder: Path, out: Path, address: str, *options: str) -> None:
        command = [sys.executable, "-m", "phonoscope_client.cli", "batch", os.fspath(folder), "--out", os.fspath(out)]
        command += ["--server", address, "--part-files", "4", "--part-seconds", "1", "--json", "--quiet", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)

    def finished(self, timeout_s: float) -> bool:
        """Waits so long for its end; whether it has ended."""
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def said(self) -> dict[str, object]:
        """What it printed, once it has ended with 0 or 3.

        Raises:
            RuntimeError: it ended otherwise.
        """
        printed, errors = self.process.communicate()
        if self.process.returncode not in (0, 3):
            raise RuntimeError(f"a job ended with {self.process.returncode}: {errors.decode()[-2000:]}")
        found: dict[str, object] = json.loads(printed)
        return found

    def kill(self) -> None:
        """Kills it and, where it has a cluster of Ray of its own, that, too."""
        started = list(descendants(self.process.pid))
        self.process.kill()
        self.process.communicate()
        for pid in started:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def workers(self) -> list[int]:
        """Process numbers of the actors of Ray that ask."""
        return [pid for pid in descendants(self.process.pid) if b"MapWorker" in _command(pid)]

    def __enter__(self) -> Job:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()


def descendants(pid: int) -> Iterator[int]:
    """Process numbers of the children of a process, and of theirs."""
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, task.read_text().split()):
                yield child
                yield from descendants(child)


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""
