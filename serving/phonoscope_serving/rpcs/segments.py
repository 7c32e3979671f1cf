"""Segments as messages of the contract."""

from __future__ import annotations

from phonoscope.v1 import decision_pb2, explanation_pb2

from phonoscope_serving.rpcs.decision import Segment, SegmentTrust


def label(vocal: bool) -> explanation_pb2.Label:
    """The label of an answer."""
    return explanation_pb2.LABEL_VOCAL if vocal else explanation_pb2.LABEL_INSTRUMENTAL


def segment_message(
    segment: Segment, frames_per_second: float, trust: SegmentTrust | None = None
) -> decision_pb2.Segment:
    """A segment, with what came of the explanations in it, where there were to be any."""
    return decision_pb2.Segment(
        start_s=segment.first_frame / frames_per_second,
        end_s=segment.end_frame / frames_per_second,
        label=label(segment.vocal),
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
