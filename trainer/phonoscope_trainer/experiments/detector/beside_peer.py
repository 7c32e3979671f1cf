"""A peer's scores beside ours: the same recordings, filter and labels, its own threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from phonoscope_trainer.experiments.detector.judging import SongScores
from phonoscope_trainer.experiments.detector.scores import summary
from phonoscope_trainer.measures.peers import Peer

OF_ALL = (
    "mean_auc",
    "mean_error",
    "instrumental_false_rate",
    "calibration_error",
    "pooled",
    "mean_error_over_kinds",
    "worst_group_error",
    "worst_group",
)


def beside_peer(document: Mapping[str, Any], peer: Peer, judged: Sequence[SongScores]) -> dict[str, Any]:
    """A document with `peer`, who it is and its scores over all recordings, and with its scores in each of `kinds`."""
    theirs: dict[str, Any] = summary(judged, peer.threshold)
    who = {"name": peer.name, "says": peer.says, "threshold": peer.threshold, "licence": peer.licence}
    found = {**document, "peer": who | {name: theirs[name] for name in OF_ALL if name in theirs}}
    if "kinds" in document:
        found["kinds"] = {kind: row | {"peer": theirs["kinds"][kind]} for kind, row in document["kinds"].items()}
    return found
