"""A whole track: its curve, explanations along it, and a summary."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from phonoscope_client.errors import ServiceError
from phonoscope_client.results.archive import Archived
from phonoscope_client.results.curve import Curve
from phonoscope_client.results.parts import Floats
from phonoscope_client.results.track.explanation import TrackExplanation
from phonoscope_client.results.track.parts import CurvePiece, TrackBegun
from phonoscope_client.results.track.summary import TrackSummary

TrackPart = TrackBegun | CurvePiece | TrackExplanation | TrackSummary


@dataclass(frozen=True, eq=False)  # arrays have no single truth value to compare by
class Track(Archived):
    """A whole track.

    Attributes:
        begun: what was done, and by which bundle.
        first_frame: number of the first frame that was heard; frame i starts at i / frames_per_second.
        probability: `[n]` float32 in [0, 1], from that frame on, of `begun.curve_label`.
        log_mel: `[f, M]` float32, natural logarithm of the mel magnitude, `begun.map_frames_per_second`; None where it
            was not asked for.
        explanations: in time order.
        summary: what it comes to.
        labels: `[L]` the listener's, where there are more than two; else none.
        label_probability: `[n, L]` float32, the curve of each.
    """

    begun: TrackBegun
    first_frame: int
    probability: Floats
    log_mel: Floats | None
    explanations: tuple[TrackExplanation, ...]
    summary: TrackSummary
    labels: npt.NDArray[np.str_] = field(default_factory=lambda: np.zeros(0, np.str_))
    label_probability: Floats = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    @property
    def start_s(self) -> float:
        """Where hearing began, in seconds from the track's start."""
        return self.first_frame / self.begun.frames_per_second

    @property
    def end_s(self) -> float:
        """Where the last frame that was heard ends."""
        return (self.first_frame + len(self.probability)) / self.begun.frames_per_second

    @property
    def curve(self) -> Curve:
        """What was heard, as `predict` answers it; of its warnings, seconds count from the track's start."""
        begun, label, probability = self.begun, self.begun.curve_label, self.probability
        if label is None and len(probability):  # it is about the label that is most probable on average
            number = int(self.label_probability.mean(axis=0).argmax())
            label, probability = str(self.labels[number]), self.label_probability[:, number]
        return Curve(
            begun.bundle,
            probability,
            begun.frames_per_second,
            begun.threshold,
            self.summary.warnings,
            listener=begun.listener,
            label=label or begun.labels[0],
            contrast=begun.contrast,
            labels=self.labels,
            label_probability=self.label_probability,
        )

    def to_json(self) -> dict[str, Any]:
        """Everything but maps and sounds, ready for `json.dumps`."""
        begun = self.begun
        return {
            **self.curve.to_json(),
            "explained_label": begun.label,
            "start_s": self.start_s,
            "decision_threshold": begun.decision_threshold,
            "median_filter_s": begun.median_filter_s,
            "minimum_s": begun.minimum_s,
            "rule": begun.rule,
            "masking": begun.masking,
            "trust_level": begun.trust_level,
            "segments": [each.to_json() for each in self.summary.segments],
            "explanations": [each.to_json(begun) for each in self.explanations],
            "summary": self.summary.to_json(),
            "bundle": asdict(begun.bundle),
        }


def collected(parts: Iterable[TrackPart]) -> Track:
    """A track of the parts it came in; explanations by their moment.

    Raises:
        ServiceError: what was done or the summary is missing, or the curve has a gap.
    """
    begun, summary = None, None
    pieces: list[CurvePiece] = []
    explanations: list[TrackExplanation] = []
    for part in parts:
        match part:
            case TrackBegun():
                begun = part
            case CurvePiece():
                if pieces and part.first_frame != pieces[-1].first_frame + len(pieces[-1].probability):
                    raise ServiceError(f"the service left out frames of the curve before frame {part.first_frame}")
                pieces.append(part)
            case TrackExplanation():
                explanations.append(part)
            case TrackSummary():
                summary = part
    if begun is None or summary is None:
        raise ServiceError("the service ended a track without its beginning or its summary")
    log_mels = [each.log_mel for each in pieces if each.log_mel is not None]
    return Track(
        begun=begun,
        first_frame=pieces[0].first_frame if pieces else 0,
        probability=np.concatenate([each.probability for each in pieces] or [np.zeros(0, np.float32)]),
        log_mel=np.concatenate(log_mels) if log_mels else None,
        explanations=tuple(sorted(explanations, key=lambda each: each.at_s)),
        summary=summary,
        labels=pieces[0].labels if pieces else np.zeros(0, np.str_),
        label_probability=(
            np.concatenate([each.label_probability for each in pieces]) if pieces else np.zeros((0, 0), np.float32)
        ),
    )
