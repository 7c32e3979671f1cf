"""A job: what is missing of a catalogue is asked for, and kept in parts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from phonoscope_client.batch.asking import Answered
from phonoscope_client.batch.items import Item
from phonoscope_client.batch.parts import CatalogueFolder

Engine = Callable[[Sequence[Item]], Iterator[Answered]]
Told = Callable[[int, int], None]  # how many more were done, how many errors there are in all


@dataclass(frozen=True)
class PartSize:
    """When a part is written: whatever comes first. A job that is killed asks again for what is in no part."""

    files: int = 64
    seconds: float = 30.0


@dataclass(frozen=True)
class Missing:
    """What is left to do of a catalogue.

    Attributes:
        items: files to ask about.
        answered: files of the input that parts hold already.
        errors: rows of files that failed and are not asked about again.
    """

    items: list[Item]
    answered: int
    errors: list[dict[str, Any]]


def missing(folder: CatalogueFolder, items: Sequence[Item], *, retry_errors: bool) -> Missing:
    """What is left to do: what is in no part and did not fail; with `retry_errors`, what failed, too."""
    answered = folder.answered()
    # A job may be killed between a part and the errors that it leaves out: the part counts.
    errors = [row for row in folder.errors() if row["file"] not in answered]
    failed = set() if retry_errors else {row["file"] for row in errors}
    left = [item for item in items if item.file not in answered and item.file not in failed]
    asked = {item.file for item in left}
    kept = [row for row in errors if row["file"] not in asked]
    return Missing(left, sum(item.file in answered for item in items), kept)


def work_off(
    folder: CatalogueFolder, left: Missing, engine: Engine, told: Told, size: PartSize, ending: Callable[[], bool]
) -> list[dict[str, Any]]:
    """Asks for what is missing and writes parts as answers come; what has come is written, however it ends.

    Args:
        folder: of the catalogue.
        left: what is missing.
        engine: gives what comes of each file.
        told: of progress.
        size: of parts.
        ending: whether the job is to end early.

    Returns:
        The rows of all errors.
    """
    errors = list(left.errors)
    rows: list[dict[str, Any]] = []
    files, failed, began_s = 0, 0, time.monotonic()

    def flush() -> None:
        nonlocal rows, files, failed, began_s
        if rows:
            folder.add(rows)
        if failed:
            folder.write_errors(errors)
        rows, files, failed, began_s = [], 0, 0, time.monotonic()

    seen: set[str] = set()
    try:
        for each in engine(left.items):
            if each.file in seen:  # an engine that had to repeat work may hand in a file once more
                continue
            seen.add(each.file)
            if each.error is not None:
                errors.append(each.error)
                failed += 1
            rows += each.rows or []
            files += 1
            told(1, len(errors))
            if files >= size.files or time.monotonic() - began_s >= size.seconds or ending():
                flush()
    finally:
        flush()
    return errors
