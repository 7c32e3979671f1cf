"""Shares, rates and distributions of a catalogue."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from phonoscope_client.batch.schema import FROM_MANIFEST
from phonoscope_client.batch.summary.reading import Catalogue

BINS = 20  # of a distribution over [0, 1]
QUANTILES = (5, 25, 50, 75, 95)
MOST_GROUPS = 50  # of a column of the manifest; one with more, such as a title, groups nothing
Values = npt.NDArray[Any]


def figures(catalogue: Catalogue) -> dict[str, Any]:
    """Everything that can be counted, ready for `json.dumps`."""
    files, segments, explanations = catalogue.files(), catalogue.segments(), catalogue.explanations()
    errors = catalogue.errors()
    duration_s = array(files, "duration_s")
    return {
        "complete": catalogue.complete,
        "bundles": dict(Counter(files["bundle"].to_pylist())),
        "ask": catalogue.job["ask"],
        "files": len(files) + len(errors),
        "answered": len(files),
        "errors": len(errors),
        "errors_by_status": dict(Counter(errors["status"].to_pylist())),
        "errors_that_may_be_retried": int(np.count_nonzero(array(errors, "retryable") == True)),  # noqa: E712 - of objects
        "files_with_warnings": sum(bool(each) for each in files["warnings"].to_pylist()),
        "hours": float(duration_s.sum() / 3600) if len(files) else 0.0,
        "explanations": len(explanations),
        "agreement": mean(array(files, "agreement")),
        "files_expected": int(np.count_nonzero(known(array(files, "agreement")))),
        **_of_explanations(explanations),
        "labels": _by_label(files, segments, explanations),
        "columns": {name: _by_value(name, files, explanations) for name in catalogue.columns},
    }


def _of_explanations(rows: pa.Table) -> dict[str, Any]:
    return {
        "share_held": mean(array(rows, "holds")),
        "out_of_distribution": mean(array(rows, "out_of_distribution")),
        "doubt": mean(array(rows, "doubt")),
    }


def _by_label(files: pa.Table, segments: pa.Table, explanations: pa.Table) -> dict[str, Any]:
    found = {}
    seconds = array(segments, "end_s") - array(segments, "start_s")
    labels = [array(table, "label") for table in (files, segments, explanations)]
    for label in sorted({*labels[0], *labels[1], *labels[2]}):
        own = explanations.filter(pa.array(labels[2] == label, pa.bool_()))
        found[label] = {
            "files": int(np.count_nonzero(labels[0] == label)),
            "share_of_files": float(np.mean(labels[0] == label)),
            "share_of_time": float(seconds[labels[1] == label].sum() / seconds.sum()) if len(seconds) else None,
            "explanations": len(own),
            **_of_explanations(own),
            "confidence": distribution(array(own, "confidence")),
            "area": distribution(array(own, "relative_area")),
        }
    return found


def _by_value(name: str, files: pa.Table, explanations: pa.Table) -> dict[str, Any] | None:
    """The figures of each value of a column of the manifest; None of one with too many."""
    values = array(files, FROM_MANIFEST + name)
    counted = Counter(value for value in values if value is not None)
    if len(counted) > MOST_GROUPS:
        return None
    own = array(explanations, FROM_MANIFEST + name)
    found = {}
    for value, count in counted.most_common():
        inside = files.filter(pa.array(values == value, pa.bool_()))
        labels = Counter(inside["label"].to_pylist())
        found[str(value)] = {
            "files": count,
            "labels": {label: number / count for label, number in sorted(labels.items())},
            "agreement": mean(array(inside, "agreement")),
            **_of_explanations(explanations.filter(pa.array(own == value, pa.bool_()))),
        }
    return found


def distribution(values: Values) -> dict[str, Any] | None:
    """Quantiles and a histogram of what lies in [0, 1]; None of nothing."""
    found = values[known(values)].astype(float)
    if not len(found):
        return None
    counts, _ = np.histogram(found, BINS, (0.0, 1.0))
    quantiles = {f"p{each:02}": float(np.percentile(found, each)) for each in QUANTILES}
    return {**quantiles, "histogram": counts.tolist()}


def array(table: pa.Table, name: str) -> Values:
    """A column as NumPy has it; what is null is None, or not a number."""
    found: Values = table[name].to_numpy()
    return found


def known(values: Values) -> npt.NDArray[np.bool_]:
    """Where a column is not null."""
    return np.array([value is not None and value == value for value in values], bool)  # noqa: PLR0124 - not a number


def mean(values: Values) -> float | None:
    """The mean of what is known; None of nothing."""
    found = values[known(values)]
    return float(np.mean(found.astype(float))) if len(found) else None
