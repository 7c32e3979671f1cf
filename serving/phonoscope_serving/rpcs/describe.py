"""`DescribeBundle`: what is served, as the contract's message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from phonoscope.v1 import bundle_pb2, bundle_reference_pb2

from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.bundle.exchange import ExchangeBank
from phonoscope_serving.bundle.listeners.decision import Decision, Kind
from phonoscope_serving.bundle.listeners.listener import Listener
from phonoscope_serving.bundle.rules import Rule
from phonoscope_serving.rpcs.auralise import messages as auralisation_messages
from phonoscope_serving.rpcs.auralise.networks import AudibleNetwork

_DECISIONS: Mapping[Kind, bundle_pb2.DecisionRule] = {
    "binary": bundle_pb2.DECISION_RULE_BINARY,
    "multi-class": bundle_pb2.DECISION_RULE_MULTI_CLASS,
    "multi-label": bundle_pb2.DECISION_RULE_MULTI_LABEL,
}


def response(
    bundle: Bundle,
    audible: Mapping[str, AudibleNetwork],
    *,
    can_maximise: bool,
    reference: bundle_reference_pb2.BundleReference,
) -> bundle_pb2.DescribeBundleResponse:
    """All there is to say of `bundle`, which `reference` names, and of its networks that can be made heard."""
    first, front_end = bundle.default, bundle.default.front_end
    return bundle_pb2.DescribeBundleResponse(
        bundle=reference,
        layers=_layers(first),
        sample_rate_hz=front_end.sample_rate_hz,
        hop_samples=front_end.hop_samples,
        frame_samples=front_end.frame_samples,
        excerpt_frames=front_end.excerpt_frames,
        band_centre_hz=front_end.band_centre_hz,
        threshold=first.decision.thresholds[0] if first.decision.kind == "binary" else 0.0,
        rules=[_rule(rule) for rule in first.rules],
        metrics=dict(bundle.metrics),
        training_data=[
            bundle_pb2.TrainingData(name=data.name, licence=data.licence, digest=data.digest)
            for data in bundle.training_data
        ],
        command=bundle.command,
        audible=auralisation_messages.audible(audible.values()),
        exchange=_exchange(first.exchange),
        listeners=[_listener(each, [*_rpcs(each, audible, can_maximise)]) for each in bundle.listeners],
    )


def _listener(listener: Listener, rpcs: list[str]) -> bundle_pb2.Listener:
    front_end = listener.front_end
    return bundle_pb2.Listener(
        name=listener.name,
        decision=_DECISIONS[listener.decision.kind],
        labels=_labels(listener.decision),
        layers=_layers(listener),
        sample_rate_hz=front_end.sample_rate_hz,
        hop_samples=front_end.hop_samples,
        frame_samples=front_end.frame_samples,
        excerpt_frames=front_end.excerpt_frames,
        band_centre_hz=front_end.band_centre_hz,
        rules=[_rule(rule) for rule in listener.rules],
        exchange=_exchange(listener.exchange),
        rpcs=rpcs,
        predictions_per_second=listener.predictions_per_second,
    )


def _rpcs(listener: Listener, audible: Mapping[str, AudibleNetwork], can_maximise: bool) -> Iterator[str]:
    """The questions that the bundle has the parts for."""
    yield from ("Predict", "Explain", "ExplainTrack")
    if listener.inversion_error_quantiles:
        yield "InvertLayers"
    if listener.name in audible:
        yield "Auralise"
    if can_maximise and listener.can_be_maximised:
        yield "Maximise"


def _labels(decision: Decision) -> list[bundle_pb2.ListenerLabel]:
    given = [*decision.thresholds, *[None] * len(decision.labels)]
    return [
        bundle_pb2.ListenerLabel(name=name, threshold=threshold)
        for name, threshold in zip(decision.labels, given, strict=False)
    ]


def _layers(listener: Listener) -> list[bundle_pb2.Layer]:
    return [
        bundle_pb2.Layer(
            name=layer.name, shape=layer.shape, invertible=layer.name in listener.inversion_error_quantiles
        )
        for layer in listener.layers
    ]


def _rule(rule: Rule) -> bundle_pb2.ExplanationRule:
    return bundle_pb2.ExplanationRule(
        name=rule.name, default_alpha=rule.default_alpha, explains_any_label=rule.takes_label
    )


def _exchange(bank: ExchangeBank | None) -> bundle_pb2.ExchangeBank | None:
    return None if bank is None else bundle_pb2.ExchangeBank(excerpts=bank.excerpts, licence=bank.licence)
