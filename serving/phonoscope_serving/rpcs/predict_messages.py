"""`Predict` between the contract's messages and domain terms."""

from __future__ import annotations

import numpy as np
from phonoscope.v1 import bundle_reference_pb2, decision_pb2, prediction_pb2

from phonoscope_serving.bundle.listeners.decision import Claim
from phonoscope_serving.bundle.listeners.listener import Listener
from phonoscope_serving.rpcs.decision import segments
from phonoscope_serving.rpcs.label_answers import label_curves
from phonoscope_serving.rpcs.naming import naming_of
from phonoscope_serving.rpcs.predict import Curve
from phonoscope_serving.rpcs.segments import decision_of, segment_message
from phonoscope_serving.rpcs.wire import sound_warnings


def check(request: prediction_pb2.PredictRequest, listener: Listener) -> None:
    """Whether what is asked of a listener can be.

    Raises:
        InvalidRequest: it has no such label, or its curve cannot be decided upon so.
    """
    listener.decision.check(request.label, request.contrast)
    if request.HasField("decision"):
        decision_of(request.decision, naming_of(listener, request.label))


def response(
    curve: Curve,
    request: prediction_pb2.PredictRequest,
    listener: Listener,
    reference: bundle_reference_pb2.BundleReference,
) -> prediction_pb2.PredictResponse:
    """The answer to `request`, whose label exists, from `listener` of the bundle `reference`.

    Raises:
        InvalidRequest: the contrast is the label that is most probable.
    """
    claim = _claim(curve, request, listener)
    return prediction_pb2.PredictResponse(
        bundle=reference,
        probability=claim.probability(curve.probability).tolist(),
        frames_per_second=listener.predictions_per_second,
        threshold=claim.threshold,
        warnings=sound_warnings(curve.warnings),
        listener=listener.name,
        label=claim.name,
        contrast=claim.contrast_name,
        labels=label_curves(listener.decision, curve.probability),
        segments=_segments(curve, request, listener),
    )


def _claim(curve: Curve, request: prediction_pb2.PredictRequest, listener: Listener) -> Claim:
    decision = listener.decision
    if decision.kind == "binary":
        label = request.label or decision.labels[request.contrast == decision.labels[0]]
        return decision.claim(label, request.contrast, curve.probability[0])
    return decision.claim(request.label, request.contrast, np.mean(curve.probability, axis=0))


def _segments(curve: Curve, request: prediction_pb2.PredictRequest, listener: Listener) -> list[decision_pb2.Segment]:
    """What a recording is called, where that is asked."""
    if not request.HasField("decision"):
        return []
    rate, naming = listener.predictions_per_second, naming_of(listener, request.label)
    decision = decision_of(request.decision, naming)
    found = segments(naming.shares(curve.probability), decision, naming, rate)
    return [segment_message(each, naming.labels, rate) for each in found]
