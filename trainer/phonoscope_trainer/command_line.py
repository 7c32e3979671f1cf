"""The command line that is running, as it would be typed: runs and bundles keep it to say how they were made."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

PROGRAM = "phonoscope-train"

_typed: ContextVar[str] = ContextVar("typed", default="")


@contextmanager
def running(arguments: Sequence[str]) -> Iterator[None]:
    """While it lasts, `this_command` is the program with these arguments."""
    token = _typed.set(shlex.join([PROGRAM, *arguments]))
    try:
        yield
    finally:
        _typed.reset(token)


def this_command() -> str:
    """The command line that is running; empty where Python called without one."""
    return _typed.get()
