"""A catalogue's folder, read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as arrow_dataset
import pyarrow.parquet as pq

from phonoscope_client.batch.schema import FROM_MANIFEST, SCHEMA_VERSION, errors_schema, rows_schema
from phonoscope_client.errors import invalid

# Curves and regions are most of a catalogue, and no figure needs them.
_FIGURES = [
    "file",
    "path",
    "label",
    "confidence",
    "expected_label",
    "agreement",
    "duration_s",
    "label_share",
    "warnings",
    "start_s",
    "end_s",
    "at_s",
    "probability",
    "relative_area",
    "holds",
    "doubt",
    "out_of_distribution",
    "low_hz",
    "high_hz",
    "tried",
    "held",
    "bundle",
]


class Catalogue:
    """The rows of a catalogue, by what they are about.

    Args:
        folder: which `phonoscope batch` has written, whether or not to the end.

    Raises:
        InvalidInputError: there is no catalogue, or one that this version does not know.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / "job.json"
        if not path.is_file():
            raise invalid("DIR", f"{str(folder)!r} holds no catalogue; `phonoscope batch INPUT --out DIR` makes one")
        self.job: dict[str, Any] = json.loads(path.read_text())
        if self.job["schema_version"] != SCHEMA_VERSION:
            raise invalid("DIR", f"its schema is {self.job['schema_version']}, and this version reads {SCHEMA_VERSION}")
        self.folder, self.complete = folder, (folder / "_SUCCESS").exists()
        self.columns: list[str] = self.job["manifest_columns"]
        self._rows = arrow_dataset.dataset(
            [str(part) for part in sorted(folder.glob("parts/part-*.parquet"))], schema=rows_schema(self.columns)
        )

    def files(self) -> pa.Table:
        """A row for each file that was answered."""
        return self._of("file")

    def segments(self) -> pa.Table:
        """A row for each segment."""
        return self._of("segment")

    def explanations(self) -> pa.Table:
        """A row for each explanation, without its region."""
        return self._of("explanation")

    def regions(self, keys: set[tuple[str, float]]) -> dict[tuple[str, float], dict[str, Any]]:
        """Region, frames and bands of some explanations, by file and moment."""
        names = ["file", "at_s", "region", "region_frames", "region_bands"]
        wanted = (arrow_dataset.field("kind") == "explanation") & arrow_dataset.field("file").isin(
            sorted({file for file, _ in keys})
        )
        rows = self._rows.to_table(names, filter=wanted).to_pylist() if keys else []
        return {key: row for row in rows if (key := (row["file"], row["at_s"])) in keys}

    def errors(self) -> pa.Table:
        """A row for each file that failed."""
        path = self.folder / "errors.parquet"
        return pq.read_table(path) if path.exists() else errors_schema(self.columns).empty_table()

    def _of(self, kind: str) -> pa.Table:
        names = [*_FIGURES, *(FROM_MANIFEST + name for name in self.columns)]
        return self._rows.to_table(names, filter=arrow_dataset.field("kind") == kind)
