"""What a teacher would teach: how much of each kind of recording is learned from it, and how often it is right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from phonoscope_trainer.corpora.corpus import Track
from phonoscope_trainer.corpora.labels import frame_labels
from phonoscope_trainer.corpora.teacher import answers, learned
from phonoscope_trainer.frontends.mel import FRONTEND
from phonoscope_trainer.networks.label import is_vocal

Row = dict[str, float | int | None]
Frames = NDArray[np.bool_]
EVEN = 0.5


def lessons(tracks: Iterable[Track], teacher: str) -> dict[str, Row]:
    """For each kind of labelled track what is learned from the teacher, and whether labels agree.

    `right` is the share of all frames on the same side as their label, `learned` the share that is learned from,
    `learned_right` how many of those are on the label's side, `learned_of_sung` how much of what is sung is learned.
    """
    heard: dict[str, list[tuple[Frames, Frames, Frames]]] = defaultdict(list)
    for track in tracks:
        said = answers(track, teacher)
        labels = frame_labels(track.vocals, len(said), FRONTEND.frames_per_second)
        heard[track.kind].append((is_vocal(said[:, 0], EVEN), ~np.isnan(learned(said)), labels))
    return {kind: _row(frames) for kind, frames in heard.items()}


def _row(recordings: Sequence[tuple[Frames, Frames, Frames]]) -> Row:
    called, kept, labels = (np.concatenate(frames) for frames in zip(*recordings, strict=True))
    right = called == labels
    return {
        "recordings": len(recordings),
        "right": float(right.mean()),
        "learned": float(kept.mean()),
        "learned_right": float(right[kept].mean()) if kept.any() else None,
        "learned_of_sung": float(kept[labels].mean()) if labels.any() else None,
    }
