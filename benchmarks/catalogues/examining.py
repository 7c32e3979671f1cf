"""What is wrong with a catalogue's folder: read as any program would, not as the job does."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

KEY = ("file", "kind", "at_s", "start_s")  # names a row


@dataclass(frozen=True)
class Found:
    """What is wrong with a folder.

    Attributes:
        lost: files that are nowhere, or failed for no fault of their own.
        twice: rows that are there more than once, and files that both failed and did not.
        unreadable_parts: Parquet files that cannot be read.
    """

    lost: int
    twice: int
    unreadable_parts: int


def examined(out: Path, sound: set[str], broken: set[str], *, finished: bool) -> Found:
    """What is wrong with a folder.

    Args:
        out: the folder.
        sound: files that are to have rows.
        broken: files that are to fail.
        finished: whether every file is to be there.
    """
    rows: Counter[tuple[object, ...]] = Counter()
    failed: Counter[str] = Counter()
    unreadable = 0
    for path in [*out.glob("parts/*.parquet"), *out.glob("errors.parquet")]:
        try:
            table = pq.read_table(path)
        except (pa.ArrowInvalid, OSError):
            unreadable += 1
            continue
        if path.name == "errors.parquet":
            failed.update(table["file"].to_pylist())
        else:
            rows.update(zip(*(table[name].to_pylist() for name in KEY), strict=True))
    answered = {key[0] for key in rows if key[1] == "file"}
    lost = len((sound - answered) | (broken - set(failed))) if finished else 0
    twice = sum(count - 1 for count in (*rows.values(), *failed.values()))
    if finished:  # a job that was killed between a part and the errors mends this when it goes on
        twice += len(answered & set(failed))
    return Found(lost + len(sound & set(failed) - answered), twice, unreadable)
