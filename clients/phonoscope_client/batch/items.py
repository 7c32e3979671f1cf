"""What a catalogue consists of: the files of a folder, the rows of a manifest, or what standard input lists."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from phonoscope_client.arguments import shown
from phonoscope_client.batch.expectation import EXPECTATIONS
from phonoscope_client.errors import invalid
from phonoscope_client.files import printable

_KINDS = "wav flac mp3 mp2 m4a m4b mp4 aac ogg oga opus webm mka mkv aif aiff aifc caf w64 rf64 au"
_KINDS += (
    " wma ape wv tta mpc amr spx ac3 dts dsf dff"  # sound, too: what cannot be heard of it fails, and is not absent
)
SUFFIXES = frozenset(f".{kind}" for kind in _KINDS.split())
PATHS, MOMENTS, EXPECTED = ("path", "file"), "moments", "expected"


@dataclass(frozen=True)
class Item:
    """One file of a catalogue.

    Attributes:
        file: what the catalogue calls it: its path as the input has it, in printable text; names it among all.
        path: where it is.
        moments: to be explained in it, besides those that every file is asked about, in seconds.
        expected: the label it is expected to have all through, or the path of a `.lab`; None where nothing is expected.
        columns: what else the manifest says of it, by column.
    """

    file: str
    path: str
    moments: tuple[float, ...] = ()
    expected: str | None = None
    columns: tuple[tuple[str, str], ...] = ()


def items_of(source: str) -> list[Item]:
    """Every file of an input, each once, in the input's order.

    Args:
        source: a folder, which is searched to its depths for recordings; a manifest (`.csv`, `.jsonl` or `.parquet`);
            or `-` for paths, or JSON objects, a line each on standard input.

    Raises:
        InvalidInputError: it is none of these, says what cannot be understood, or lists nothing.
    """
    path = Path(source)
    if source == "-":
        found = _merged(_listed(sys.stdin, Path()), "-")
    elif path.is_dir():
        found = list(_in_folder(path))
    elif not path.is_file():
        raise invalid("INPUT", f"there is no folder or file {source!r}")
    elif path.suffix.lower() in _READERS:
        found = _merged(_READERS[path.suffix.lower()](path), source)
    else:
        raise invalid(
            "INPUT", f"{source!r} is no folder and no manifest; give a folder, or {', '.join(_READERS)}, or -"
        )
    if not found:
        raise invalid("INPUT", f"{source!r} holds no recordings")
    return found


def columns_of(items: Iterable[Item]) -> tuple[str, ...]:
    """Names of the manifest's further columns, in order of first sight."""
    return tuple(dict.fromkeys(name for item in items for name, _ in item.columns))


def _in_folder(folder: Path) -> Iterator[Item]:
    for path in sorted(_below(folder)):
        # A link that leads nowhere is listed: its file is missing, and that is an error, not nothing.
        if path.suffix.lower() in SUFFIXES and (path.is_file() or not path.exists()):
            lab, inside = path.with_suffix(".lab"), path.relative_to(folder)
            yield Item(printable(inside), _absolute(path), expected=_absolute(lab) if lab.is_file() else None)


def _below(folder: Path) -> Iterator[Path]:
    """Everything in a folder and its folders that is not hidden; links are followed, each folder is entered once.

    Raises:
        InvalidInputError: one of them cannot be read.
    """
    entered: set[tuple[int, int]] = set()

    def refuse(error: OSError) -> None:
        raise invalid("INPUT", f"the folder {error.filename!r} cannot be read: {error.strerror}") from error

    for at, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
        status = Path(at).stat()
        is_new = (status.st_dev, status.st_ino) not in entered
        entered.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if is_new and not name.startswith("."))
        if is_new:
            yield from (Path(at, name) for name in names if not name.startswith("."))


def _of_csv(path: Path) -> Iterator[Item]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), 2):
            yield _item(row, path.parent, f"{path.name}, line {number}")


def _of_lines(path: Path) -> Iterator[Item]:
    with path.open(encoding="utf-8") as file:
        yield from _listed(file, path.parent)


def _of_parquet(path: Path) -> Iterator[Item]:
    try:
        rows = pq.read_table(path).to_pylist()
    except (pa.ArrowInvalid, OSError) as error:
        raise invalid("INPUT", f"{str(path)!r} cannot be read as Parquet: {error}") from error
    for number, row in enumerate(rows):
        yield _item(row, path.parent, f"{path.name}, row {number}")


_READERS = {".csv": _of_csv, ".jsonl": _of_lines, ".parquet": _of_parquet}


def _listed(lines: Iterable[str], folder: Path) -> Iterator[Item]:
    """Of lines that are paths, or JSON objects."""
    for number, line in enumerate(lines, 1):
        said = line.rstrip("\n")
        if not said.strip():
            continue
        where = f"line {number}"
        if not said.lstrip().startswith("{"):
            yield _item({"path": said}, folder, where)
            continue
        try:
            row = json.loads(said)
        except ValueError as error:
            raise invalid("INPUT", f"{where} is no JSON: {error}") from error
        yield _item(row, folder, where)


def _item(row: Mapping[str, Any], folder: Path, where: str) -> Item:
    named = next((name for name in PATHS if row.get(name)), None)
    if named is None:
        raise invalid("INPUT", f"{where} names no file; give a column {' or '.join(PATHS)}")
    file = str(row[named])
    further = {name: value for name, value in row.items() if name not in (named, MOMENTS, EXPECTED) and name}
    return Item(
        printable(file),
        _absolute(folder / file),
        _moments(row.get(MOMENTS), where),
        _expected(row.get(EXPECTED), folder, where),
        tuple((name, str(value)) for name, value in further.items() if value not in (None, "")),
    )


def _moments(said: object, where: str) -> tuple[float, ...]:
    """Seconds: a list of numbers, or text with spaces, commas or semicolons between them."""
    if said is None:
        return ()
    written = said.replace(",", " ").replace(";", " ").split() if isinstance(said, str) else said
    several: list[Any] = written if isinstance(written, list) else [written]
    try:
        found = tuple(float(each) for each in several)
    except (TypeError, ValueError) as error:
        raise invalid(MOMENTS, f"{where}: {shown(said)}; give seconds, such as 30 45.5") from error
    if not all(0 <= each < float("inf") for each in found):
        raise invalid(MOMENTS, f"{where}: {shown(said)}; give seconds from the beginning, 0 or more")
    return found


def _expected(said: object, folder: Path, where: str) -> str | None:
    if said in (None, ""):
        return None
    if isinstance(said, str) and (said in EXPECTATIONS or not said.endswith(".lab")):
        return EXPECTATIONS.get(said, said)  # of another listener, its own label
    if isinstance(said, str):
        return _absolute(folder / said)
    raise invalid(EXPECTED, f"{where}: {shown(said)}; give a label, or the path of a .lab")


def _absolute(path: Path) -> str:
    return os.fspath(path.absolute())


def _merged(items: Iterable[Item], source: str) -> list[Item]:
    """Each file once: moments of several rows about one add up.

    Raises:
        InvalidInputError: two rows expect different things of it.
    """
    found: dict[str, Item] = {}
    for item in items:
        first = found.setdefault(item.file, item)
        if first is item:
            continue
        if item.expected != first.expected:
            raise invalid("INPUT", f"{source!r} expects both {first.expected!r} and {item.expected!r} of {item.file!r}")
        found[item.file] = replace(first, moments=(*first.moments, *item.moments))
    return list(found.values())
