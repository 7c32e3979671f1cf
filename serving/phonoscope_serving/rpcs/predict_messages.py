"""`Predict` between the contract's messages and domain terms."""

from __future__ import annotations

import numpy as np
from phonoscope.v1 import bundle_reference_pb2, decision_pb2, prediction_pb2

from phonoscope_serving.bundle.listeners.decision import Claim
from phonoscope_serving.bundle.listeners.listener import Listener
from phonoscope_serving.errors import NotInBundle
from phonoscope_serving.rpcs.decision import segments
from phonoscope_serving.rpcs.predict import Curve
from phonoscope_serving.rpcs.segments import segment_message
from phonoscope_serving.rpcs.track import messages as track_messages
from phonoscope_serving.rpcs.wire import sound_warnings


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
        labels=_curves(curve, listener),
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
    if listener.decision.kind != "binary":
        raise NotInBundle(f"decision: {listener.name} has more labels than two; curves are decided upon between two")
    rate = listener.predictions_per_second
    found = segments(curve.probability[:, 0], track_messages.decision(request.decision, listener), rate)
    return [segment_message(each, rate) for each in found]


def _curves(curve: Curve, listener: Listener) -> list[prediction_pb2.LabelCurve]:
    """Of two labels one curve says all."""
    decision = listener.decision
    if decision.kind == "binary":
        return []
    odds = decision.log_odds(curve.probability)
    return [
        prediction_pb2.LabelCurve(
            label=label, probability=curve.probability[:, number].tolist(), log_odds=odds[:, number].tolist()
        )
        for number, label in enumerate(decision.labels)
    ]
