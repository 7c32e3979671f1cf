"""The file that tells where the service answers, once it does."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from phonoscope_serving.errors import OptionsError


def clear(path: Path) -> None:
    """Takes away what an earlier run left, which would be believed, and finds out whether it can be written.

    Raises:
        OptionsError: it cannot.
    """
    with _in_words(path):
        path.unlink(missing_ok=True)
        _beside(path).touch()
        _beside(path).unlink()


def write(path: Path, addresses: Mapping[str, str]) -> None:
    """Writes it beside and moves it, so that whoever sees the file can read all of it.

    Raises:
        OptionsError: it cannot be written.
    """
    with _in_words(path):
        _beside(path).write_text(json.dumps(dict(addresses)) + "\n")
        _beside(path).replace(path)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}")


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise OptionsError(f"ready file: {path} cannot be written: {reason}") from error
