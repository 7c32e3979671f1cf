"""A curve, what is decided upon it, and segments, between protocol buffers and results."""

from __future__ import annotations

import numpy as np
from phonoscope.v1 import decision_pb2, prediction_pb2

from phonoscope_client import arguments
from phonoscope_client.messages.listener import ASKED_OF_THE_FIRST, DETECTOR, Choice, label_of
from phonoscope_client.messages.wire import bundle_reference, decimal, sound_warnings
from phonoscope_client.results.curve import Curve
from phonoscope_client.results.parts import VOCAL
from phonoscope_client.results.segments import Segment, SegmentTrust
from phonoscope_client.transport import audio as sound
from phonoscope_client.transport.audio import AudioInput


def request(
    audio: AudioInput,
    median_filter_s: float | None,
    threshold: float | None,
    minimum_s: float | None,
    choice: Choice = ASKED_OF_THE_FIRST,
) -> prediction_pb2.PredictRequest:
    """The request of `Client.predict`.

    Raises:
        InvalidInputError: an argument is of no use to any service.
    """
    is_decided = any(each is not None for each in (median_filter_s, threshold, minimum_s))
    chosen = decision(median_filter_s or 0.0, threshold, minimum_s or 0.0) if is_decided else None
    return prediction_pb2.PredictRequest(audio=sound.whole(audio), decision=chosen, **choice.fields())


def decision(median_filter_s: float, threshold: float | None, minimum_s: float) -> decision_pb2.Decision:
    """How a curve is decided upon.

    Raises:
        InvalidInputError: an argument is no number.
    """
    return decision_pb2.Decision(
        median_filter_s=arguments.number("median_filter_s", median_filter_s, "seconds, 0 to 10"),
        threshold=None if threshold is None else arguments.number("threshold", threshold, "above 0 and below 1"),
        minimum_s=arguments.number("minimum_s", minimum_s, "seconds, 0 to 60"),
    )


def curve(response: prediction_pb2.PredictResponse) -> Curve:
    """The curve in a response."""
    return Curve(
        bundle=bundle_reference(response.bundle),
        probability=np.array(response.probability, np.float32),
        frames_per_second=response.frames_per_second,
        threshold=decimal(response.threshold),
        warnings=sound_warnings(response.warnings),
        segments=tuple(map(segment, response.segments)),
        listener=response.listener or DETECTOR,
        label=response.label or VOCAL,
        contrast=response.contrast or None,
        labels=np.array([each.label for each in response.labels], np.str_),
        label_probability=np.array([each.probability for each in response.labels], np.float32).T,
    )


def segment(message: decision_pb2.Segment) -> Segment:
    """A segment, and how far what lies in it was explained.

    Raises:
        ServiceError: it has no label that is known here.
    """
    trust = message.trust
    return Segment(
        start_s=message.start_s,
        end_s=message.end_s,
        label=label_of(message),
        mean_confidence=decimal(message.mean_confidence),
        trust=SegmentTrust(
            explained=trust.explained,
            tried=trust.tried,
            held=trust.held,
            mean_doubt=decimal(trust.mean_doubt) if trust.HasField("mean_doubt") else None,
        )
        if message.HasField("trust")
        else None,
    )
