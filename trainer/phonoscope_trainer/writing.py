"""Files that are there as a whole or not at all, though their writer is killed or another writes the same."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNFINISHED = ".partial"  # what a killed writer leaves ends so; nobody reads it, and it may be deleted


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A path of nobody else's, beside `path`, whose file takes the place of `path` in one step once all went well.

    The folder must be there. A file of this name that was there before stays until then.
    """
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(8)}{UNFINISHED}")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8, whole or not at all."""
    with written_whole(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
