"""The rows of one file: what `ExplainTrack` answered, in the columns of `schema`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from phonoscope_client.batch.expectation import Expectation
from phonoscope_client.batch.items import Item
from phonoscope_client.batch.question import CatalogueQuestion
from phonoscope_client.batch.schema import FROM_MANIFEST
from phonoscope_client.files import printable
from phonoscope_client.results.explanation import Share
from phonoscope_client.results.parts import Floats, is_vocal
from phonoscope_client.results.segments import Segment
from phonoscope_client.results.track import Track, TrackExplanation

Row = dict[str, Any]
LABELS = "U128"  # of frames


def about(item: Item) -> Row:
    """What every row and every error about a file says alike."""
    return {"file": item.file, "path": printable(item.path)} | {
        FROM_MANIFEST + name: value for name, value in item.columns
    }


def rows(item: Item, question: CatalogueQuestion, expected: Expectation | None, track: Track) -> Iterator[Row]:
    """One row about the file, one for each segment and each explanation that was asked for."""
    begun = track.begun
    alike = about(item) | {
        "bundle": begun.bundle.name,
        "bundle_digest": begun.bundle.digest,
        "listener": begun.listener,
        "contrast": begun.contrast,
        "rule": begun.rule,
        "trust": begun.trust_level,
    }
    judged = _Judged(track, expected)
    yield alike | _file(item, question, track, judged)
    if "segments" in question.ask:
        for segment in track.summary.segments:
            yield alike | _segment(segment, judged)
    for explanation in track.explanations:
        yield alike | _explanation(explanation, track, judged)


@dataclass(frozen=True)
class _Judged:
    """What a track is called beside what is expected of it."""

    track: Track
    expected: Expectation | None

    @cached_property
    def labels(self) -> npt.NDArray[np.str_]:
        """`[T]`: the label of each frame, by its segment; of a track without segments, by the threshold."""
        track = self.track
        begun, numbers = track.begun, track.label_probability
        if begun.decision_threshold:
            found = np.where(is_vocal(track.probability, begun.decision_threshold), *begun.labels).astype(LABELS)
        else:
            found = track.labels[numbers.argmax(axis=1)].astype(LABELS)
        rate = begun.frames_per_second
        for each in track.summary.segments:
            first, last = (round((at_s - track.start_s) * rate) for at_s in (each.start_s, each.end_s))
            found[max(0, first) : last] = each.label
        return found

    def between(self, start_s: float, end_s: float) -> float | None:
        """Share of a stretch that is called what is expected."""
        if self.expected is None:
            return None
        begun = self.track.begun
        first, last = (round((at_s - self.track.start_s) * begun.frames_per_second) for at_s in (start_s, end_s))
        return self.expected.agreement(self.labels[max(0, first) : last], start_s, begun.frames_per_second)

    def at(self, at_s: float) -> str | None:
        """What is expected at a moment."""
        return None if self.expected is None else self.expected.at(at_s)


def _file(item: Item, question: CatalogueQuestion, track: Track, judged: _Judged) -> Row:
    begun, summary = track.begun, track.summary
    names, counts = np.unique(judged.labels, return_counts=True)
    most = int(np.argmax(counts))
    label = str(names[most])
    own = _probability(track, label)
    return {
        "kind": "file",
        "label": label,
        "confidence": float(own[judged.labels == label].mean()),
        "expected_label": None if judged.expected is None else judged.expected.label,
        "agreement": judged.between(track.start_s, track.end_s),
        "explained": summary.explained,
        "tried": summary.tried,
        "held": summary.held,
        "size_bytes": Path(item.path).stat().st_size,
        "duration_s": track.end_s,
        "frames_per_second": begun.frames_per_second,
        "threshold": begun.decision_threshold,
        "label_share": float(counts[most] / counts.sum()),
        "curve": track.curve.probability if "curve" in question.ask else None,
        "curve_label": track.curve.label,
        "warnings": [f"{each.kind}: {each.sentence}" for each in summary.warnings],
        "service_seconds": summary.seconds,
    }


def _segment(segment: Segment, judged: _Judged) -> Row:
    trust = segment.trust
    return {
        "kind": "segment",
        "label": segment.label,
        "confidence": segment.mean_confidence,
        "expected_label": judged.at((segment.start_s + segment.end_s) / 2),
        "agreement": judged.between(segment.start_s, segment.end_s),
        "start_s": segment.start_s,
        "end_s": segment.end_s,
        **({} if trust is None else {"explained": trust.explained, "tried": trust.tried, "held": trust.held}),
        "doubt": None if trust is None else trust.mean_doubt,
    }


def _explanation(explanation: TrackExplanation, track: Track, judged: _Judged) -> Row:
    trust, found = explanation.trust, explanation.box(track.begun)
    expected = judged.at(explanation.at_s)
    frames, bands = explanation.mask.shape
    doubt = trust.doubt
    return {
        "kind": "explanation",
        "label": explanation.label,
        "predicted_label": explanation.predicted or explanation.label,
        "confidence": _confidence(explanation, track),
        "expected_label": expected,
        "agreement": None if expected is None else float(expected == explanation.label),
        "tried": int(trust.holds is not None),
        "held": int(trust.holds is True),
        **({} if found is None else vars(found)),  # start_s, end_s, low_hz, high_hz
        "at_s": explanation.at_s,
        "probability": explanation.probability,
        "alpha": explanation.alpha,
        "region": np.packbits(explanation.mask).tobytes(),
        "region_frames": frames,
        "region_bands": bands,
        "region_start_s": explanation.start_s,
        **{name: getattr(trust, name) for name in _OF_TRUST},
        **{name: _share(getattr(trust, name)) for name in ("carried", "silhouette", "removed")},
        **({} if doubt is None else {"doubt": doubt.doubt, "wrong": doubt.wrong, "foreign": doubt.foreign}),
    }


def _probability(track: Track, label: str) -> Floats:
    """`[T]`: of one of the labels that frames are called."""
    first, *_ = track.begun.labels
    if track.begun.decision_threshold:
        return track.probability if label == first else 1 - track.probability
    return track.label_probability[:, int(np.flatnonzero(track.labels == label)[0])]


def _confidence(explanation: TrackExplanation, track: Track) -> float:
    """The probability of the label that is explained; of two, that of the first is told."""
    is_second = not len(track.labels) and explanation.label != track.begun.labels[0]
    return 1 - explanation.probability if is_second else explanation.probability


_OF_TRUST = (
    "relative_area",
    "holds",
    "label_kept",
    "masked_probability",
    "carried_over_silhouette",
    "out_of_distribution",
    "reconstruction_error",
    "reconstruction_percentile",
    "control_seed",
)


def _share(share: Share | None) -> float | None:
    return share.kept / share.n if share is not None and share.n else None
