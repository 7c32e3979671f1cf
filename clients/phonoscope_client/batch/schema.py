"""The columns of a catalogue, in plain types that every reader of Parquet knows.

A row is about a whole file (`kind` "file"), a segment ("segment") or one explanation ("explanation"); what its kind has
nothing to say of is null. docs/catalogues.md says what each column means. A change that an existing reader would trip
over raises `SCHEMA_VERSION`, which stands in the metadata of every Parquet file, in `job.json` and in `_SUCCESS`.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

SCHEMA_VERSION = 1
FROM_MANIFEST = "manifest_"  # before the name of every further column of the manifest

_FILE = [("file", pa.string()), ("path", pa.string())]
_ANY = [
    ("kind", pa.string()),
    ("bundle", pa.string()),
    ("bundle_digest", pa.string()),
    ("listener", pa.string()),
    ("contrast", pa.string()),
    ("rule", pa.string()),
    ("trust", pa.string()),
    ("label", pa.string()),
    ("confidence", pa.float32()),
    ("expected_label", pa.string()),
    ("agreement", pa.float32()),
    ("explained", pa.int32()),
    ("tried", pa.int32()),
    ("held", pa.int32()),
    ("doubt", pa.float32()),
]
_OF_A_FILE = [
    ("size_bytes", pa.int64()),
    ("duration_s", pa.float64()),
    ("frames_per_second", pa.float64()),
    ("threshold", pa.float32()),
    ("label_share", pa.float32()),
    ("curve", pa.list_(pa.float32())),
    ("curve_label", pa.string()),
    ("warnings", pa.list_(pa.string())),
    ("service_seconds", pa.float64()),
]
_OF_A_STRETCH = [("start_s", pa.float64()), ("end_s", pa.float64())]  # of segments, and of regions
_OF_AN_EXPLANATION = [
    ("at_s", pa.float64()),
    ("predicted_label", pa.string()),
    ("probability", pa.float32()),
    ("alpha", pa.float32()),
    ("region", pa.binary()),
    ("region_frames", pa.int32()),
    ("region_bands", pa.int32()),
    ("region_start_s", pa.float64()),
    ("low_hz", pa.float32()),
    ("high_hz", pa.float32()),
    ("relative_area", pa.float32()),
    ("holds", pa.bool_()),
    ("label_kept", pa.bool_()),
    ("masked_probability", pa.float32()),
    ("carried", pa.float32()),
    ("silhouette", pa.float32()),
    ("removed", pa.float32()),
    ("carried_over_silhouette", pa.float32()),
    ("wrong", pa.float32()),
    ("foreign", pa.float32()),
    ("out_of_distribution", pa.bool_()),
    ("reconstruction_error", pa.float32()),
    ("reconstruction_percentile", pa.float32()),
    ("control_seed", pa.int64()),
]
_OF_AN_ERROR = [
    ("stage", pa.string()),
    ("status", pa.string()),
    ("message", pa.string()),
    ("retryable", pa.bool_()),
    ("attempts", pa.int32()),
]


def rows_schema(columns: Sequence[str]) -> pa.Schema:
    """The schema of every part.

    Args:
        columns: names of the manifest's further columns.
    """
    return _schema([*_FILE, *_ANY, *_OF_A_FILE, *_OF_A_STRETCH, *_OF_AN_EXPLANATION], columns)


def errors_schema(columns: Sequence[str]) -> pa.Schema:
    """The schema of `errors.parquet`; likewise."""
    return _schema([*_FILE, *_OF_AN_ERROR], columns)


def _schema(fields: list[tuple[str, pa.DataType]], columns: Sequence[str]) -> pa.Schema:
    more = [(FROM_MANIFEST + name, pa.string()) for name in columns]
    return pa.schema([*fields, *more], metadata={"phonoscope.schema_version": str(SCHEMA_VERSION)})
