"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file to write, which takes the place of `path` at the end of a `with` block that raised nothing.

    Whoever reads `path` meanwhile reads what it was before; a program that is killed leaves it so.
    """
    partial = Path(path).with_name(f".{uuid.uuid4().hex}.partial")
    try:
        with partial.open("xb") as file:
            yield file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file."""
    with replacing(path) as file:
        file.write(data)


def write_text(path: Path, text: str) -> None:
    """Write a whole file, in UTF-8; what UTF-8 has no code for is escaped."""
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def printable(path: str | os.PathLike[str]) -> str:
    r"""A path as text for people; bytes of it that are no UTF-8 are escaped: `caf\xe9.wav`."""
    return os.fspath(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
