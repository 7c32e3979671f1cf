"""The folder of a catalogue: parts that are there whole or not at all, errors, and what they add up to.

DIR/job.json               what is asked, of which bundle
DIR/parts/part-00000.parquet ...   rows of the files that were answered; each file is in one part alone
DIR/errors.parquet         a row for each file that failed
DIR/_SUCCESS               once every file is in one or the other: how many of each, as JSON
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from phonoscope_client.batch.schema import SCHEMA_VERSION, errors_schema, rows_schema
from phonoscope_client.errors import invalid
from phonoscope_client.files import replacing, write_text


class CatalogueFolder:
    """One catalogue's folder, which one job at a time writes.

    Args:
        folder: made where it is not there.
        columns: names of the manifest's further columns.
    """

    def __init__(self, folder: Path, columns: Sequence[str]) -> None:
        self.folder, self._columns = folder, columns
        self._parts, self._success = folder / "parts", folder / "_SUCCESS"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keeps other jobs out for as long as a `with` block; what a killed one left half-written is removed.

        Raises:
            InvalidInputError: another job is writing it.
        """
        self._parts.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # ends with the process, however that ends
            except BlockingIOError as error:
                raise invalid("--out", f"another job is writing {str(self.folder)!r}") from error
            for partial in [*self.folder.glob(".*.partial"), *self._parts.glob(".*.partial")]:
                partial.unlink()
            yield

    def begin(self, job: dict[str, Any]) -> None:
        """Says what the catalogue is asked.

        Raises:
            InvalidInputError: it was asked something else before.
        """
        said = {"schema_version": SCHEMA_VERSION, **job, "manifest_columns": self._columns}
        job = json.loads(json.dumps(said))  # as it is read back: tuples are lists
        path = self.folder / "job.json"
        before = json.loads(path.read_text()) if path.exists() else job
        differing = [name for name, value in job.items() if before.get(name) != value]
        if differing:
            raise invalid(
                "--out",
                f"{str(self.folder)!r} holds a catalogue of another {', '.join(differing)}; give another folder",
            )
        if not path.exists():
            write_text(path, json.dumps(job, indent=2) + "\n")

    def answered(self) -> set[str]:
        """The files that parts hold.

        Raises:
            InvalidInputError: a part cannot be read.
        """
        found: set[str] = set()
        for path in self._part_paths():
            try:
                table = pq.read_table(path, columns=["file"], filters=pc.field("kind") == "file")
            except (pa.ArrowInvalid, OSError) as error:
                raise invalid(
                    "--out", f"{str(path)!r} cannot be read ({error}); remove it to ask its files again"
                ) from error
            found.update(table["file"].to_pylist())
        return found

    def errors(self) -> list[dict[str, Any]]:
        """The rows of `errors.parquet`."""
        path = self.folder / "errors.parquet"
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist() if path.exists() else []
        return rows

    def add(self, rows: list[dict[str, Any]]) -> None:
        """Writes one more part."""
        names = (path.stem.removeprefix("part-") for path in self._part_paths())
        number = max((int(name) + 1 for name in names), default=0)
        _write(self._parts / f"part-{number:05}.parquet", rows, rows_schema(self._columns))

    def write_errors(self, rows: list[dict[str, Any]]) -> None:
        """Writes all errors anew."""
        _write(self.folder / "errors.parquet", rows, errors_schema(self._columns))

    def incomplete(self) -> None:
        """No longer says that every file is there."""
        self._success.unlink(missing_ok=True)

    def complete(self, files: int) -> dict[str, Any]:
        """Counts again what was written, and says so where it is everything.

        Args:
            files: how many the input lists.

        Returns:
            What `_SUCCESS` holds.
        """
        parts, rows, answered = [], 0, 0
        for path in self._part_paths():
            kinds = pq.read_table(path, columns=["kind"])["kind"]
            in_part = pc.sum(pc.equal(kinds, "file")).as_py() or 0
            parts.append({"name": path.name, "files": in_part, "rows": len(kinds), "bytes": path.stat().st_size})
            rows, answered = rows + len(kinds), answered + in_part
        counts = {"files": files, "answered": answered, "errors": len(self.errors()), "rows": rows}
        counts["no_longer_listed"] = counts["answered"] + counts["errors"] - files  # by an input that has changed
        if counts["no_longer_listed"] < 0:
            raise RuntimeError(f"a catalogue does not add up: {counts}")
        said = {"schema_version": SCHEMA_VERSION, **counts, "parts": parts}
        write_text(self._success, json.dumps(said, indent=2) + "\n")
        return said

    def _part_paths(self) -> list[Path]:
        return sorted(self._parts.glob("part-*.parquet"))


def _write(path: Path, rows: list[dict[str, Any]], schema: pa.Schema) -> None:
    with replacing(path) as file:
        pq.write_table(pa.Table.from_pylist(rows, schema), file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())  # a part that is named is there, even if the power goes
