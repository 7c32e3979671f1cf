"""Decisions and segments between the contract's messages and domain terms."""

from __future__ import annotations

from collections.abc import Sequence

from phonoscope.v1 import decision_pb2, explanation_pb2

from phonoscope_serving.errors import InvalidRequest
from phonoscope_serving.rpcs.decision import Decision, Segment, SegmentTrust
from phonoscope_serving.rpcs.naming import Naming

_LABELS = {"vocal": explanation_pb2.LABEL_VOCAL, "instrumental": explanation_pb2.LABEL_INSTRUMENTAL}


def label(name: str) -> explanation_pb2.Label:
    """The label of an answer; of any other than the two that the contract knows, only the name is told."""
    return _LABELS.get(name, explanation_pb2.LABEL_UNSPECIFIED)


def decision_of(message: decision_pb2.Decision, naming: Naming) -> Decision:
    """How a curve is decided upon.

    Raises:
        InvalidRequest: there is a threshold, and the most probable label is the answer.
    """
    threshold = message.threshold if message.HasField("threshold") else naming.threshold
    if naming.threshold is None and threshold is not None:
        raise InvalidRequest.at("decision.threshold", f"is {threshold:g}; here the most probable label is the answer")
    return Decision(threshold, message.median_filter_s, message.minimum_s)


def segment_message(
    segment: Segment, labels: Sequence[str], frames_per_second: float, trust: SegmentTrust | None = None
) -> decision_pb2.Segment:
    """A segment, with what came of the explanations in it, where there were to be any."""
    return decision_pb2.Segment(
        start_s=segment.first_frame / frames_per_second,
        end_s=segment.end_frame / frames_per_second,
        label=label(labels[segment.label]),
        label_name=labels[segment.label],
        mean_confidence=segment.mean_confidence,
        trust=None if trust is None else _trust(trust),
    )


def _trust(trust: SegmentTrust) -> decision_pb2.SegmentTrust:
    return decision_pb2.SegmentTrust(
        explained=trust.explained,
        tried=trust.tried,
        held=trust.held,
        mean_doubt=trust.doubted / trust.doubts if trust.doubts else None,
    )
