"""What to look at first: answers that are sure and unsupported, or not as expected, and what they have in common."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from phonoscope_client.batch.summary.causes import causes
from phonoscope_client.batch.summary.figures import array, known
from phonoscope_client.batch.summary.reading import Catalogue

CONFIDENT = 0.8
MOST = 25  # of each list
MOST_CLUSTERED = 2000  # of the worst: each is held against every cluster
_MOMENT = [
    "file",
    "path",
    "at_s",
    "label",
    "expected_label",
    "confidence",
    "probability",
    "relative_area",
    "holds",
    "doubt",
    "low_hz",
    "high_hz",
    "out_of_distribution",
]
_FILE = ["file", "path", "label", "expected_label", "confidence", "agreement", "duration_s"]


def look_first(catalogue: Catalogue, most: int = MOST) -> dict[str, list[dict[str, Any]]]:
    """What is most likely wrong, worst first.

    Args:
        catalogue: what was answered.
        most: of each list.

    Returns:
        "unsupported": sure moments whose explanation does not hold, first of the label whose explanations mostly do;
        "disagreeing": moments that are called what was not expected, the surest first;
        "disagreeing_files": files that agree least with what was expected;
        "causes": the regions of all disagreeing moments, or where there is none of all unsupported ones, by where they
        lie.
    """
    explanations, files = catalogue.explanations(), catalogue.files()
    unsupported, disagreeing = _unsupported(explanations), _disagreeing(explanations)
    ranked = disagreeing if len(disagreeing) else unsupported
    return {
        "unsupported": _said(unsupported, most, _MOMENT),
        "disagreeing": _said(disagreeing, most, _MOMENT),
        "disagreeing_files": _said(_disagreeing_files(files), most, _FILE),
        "causes": _causes(catalogue, ranked.slice(0, MOST_CLUSTERED), most),
    }


def _unsupported(rows: pa.Table) -> pa.Table:
    """Sure, and the explanation fails: where most of its label hold, that says more."""
    holds, labels = array(rows, "holds"), array(rows, "label")
    tried = known(holds)
    usual = {label: float(np.mean((holds[tried & (labels == label)] == True) + 0.0)) for label in set(labels[tried])}  # noqa: E712 - of objects
    weight = np.array([usual.get(label, 0.0) for label in labels])
    confidence = array(rows, "confidence").astype(float)
    chosen = tried & (holds == False) & (confidence >= CONFIDENT)  # noqa: E712 - likewise
    return _ordered(rows, chosen, -(weight * confidence))


def _disagreeing(rows: pa.Table) -> pa.Table:
    agreement = array(rows, "agreement")
    return _ordered(rows, known(agreement) & (agreement == 0), -array(rows, "confidence").astype(float))


def _disagreeing_files(rows: pa.Table) -> pa.Table:
    agreement = array(rows, "agreement")
    return _ordered(rows, known(agreement) & (agreement < 1), agreement.astype(float))


def _ordered(rows: pa.Table, chosen: Any, by: Any) -> pa.Table:  # noqa: ANN401 - arrays
    """Chosen rows in ascending order of something; equal ones as they were."""
    order = np.argsort(by, kind="stable")
    return rows.take(pa.array(order[np.asarray(chosen, bool)[order]], pa.int64()))


def _said(rows: pa.Table, most: int, names: list[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = rows.slice(0, most).select(names).to_pylist()
    return found


def _causes(catalogue: Catalogue, ranked: pa.Table, most: int) -> list[dict[str, Any]]:
    """Clusters of at least two, with the surest of each as its example."""
    rows = ranked.select(_MOMENT).to_pylist()
    regions = catalogue.regions({(row["file"], row["at_s"]) for row in rows})
    rows = [row for row in rows if (row["file"], row["at_s"]) in regions and row["low_hz"] is not None]
    masks = []
    for row in rows:
        region = regions[row["file"], row["at_s"]]
        shape = region["region_frames"], region["region_bands"]
        bits = np.unpackbits(np.frombuffer(region["region"], np.uint8), count=shape[0] * shape[1])
        masks.append(bits.reshape(shape).astype(bool))
    found = []
    for cause in causes(masks):
        members = [rows[number] for number in cause.members]
        if len(members) < 2:
            break
        found.append(
            {
                "moments": len(members),
                "files": len({member["file"] for member in members}),
                "low_hz": float(np.median([member["low_hz"] for member in members])),
                "high_hz": float(np.median([member["high_hz"] for member in members])),
                "pattern": cause.pattern,
                "example": members[0],
                "others": [{name: each[name] for name in ("file", "path", "at_s")} for each in members[1:most]],
            }
        )
    return found[:most]
