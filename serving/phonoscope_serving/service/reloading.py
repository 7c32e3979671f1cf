"""Files that are read again when they change: secrets are replaced while the service runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from phonoscope_serving.errors import OptionsError

LOG = logging.getLogger("phonoscope.server")

Value = TypeVar("Value")
Stamp = tuple[int, int, int] | None  # when it was written, which file it is, its bytes; None where it is missing


class Reloaded(Generic[Value]):
    """What some files say; what they no longer say properly stays as it was."""

    def __init__(self, files: Sequence[Path], read: Callable[[], Value]) -> None:
        """Reads for the first time.

        Args:
            files: whose changes matter.
            read: makes of them what is wanted.

        Raises:
            OptionsError: `read` raises it.
        """
        self._files, self._read = files, read
        self._stamps = [_stamp(file) for file in files]
        self._value = read()

    def now(self) -> Value:
        """What they say now; looks at the files' dates alone while nothing has changed."""
        stamps = [_stamp(file) for file in self._files]
        if stamps != self._stamps:
            self._stamps = stamps
            names = ", ".join(str(file) for file in self._files)
            try:
                self._value = self._read()
                LOG.info("read again", extra={"files": names})
            except OptionsError as error:
                LOG.error("what was read before stays in force", extra={"files": names, "reason": str(error)})
        return self._value


def _stamp(file: Path) -> Stamp:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size
