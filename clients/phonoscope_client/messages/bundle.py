"""The description of a bundle out of protocol buffers."""

from __future__ import annotations

from collections.abc import Iterable

from phonoscope.v1 import bundle_pb2

from phonoscope_client.messages import auralisation as auralisation_messages
from phonoscope_client.messages.wire import decimal
from phonoscope_client.results.bundle import Bundle, ExchangeBank, Layer, Listener, Rule, TrainingData

_DECISIONS = {
    bundle_pb2.DECISION_RULE_BINARY: "binary",
    bundle_pb2.DECISION_RULE_MULTI_CLASS: "multi-class",
    bundle_pb2.DECISION_RULE_MULTI_LABEL: "multi-label",
}


def bundle(response: bundle_pb2.DescribeBundleResponse) -> Bundle:
    """The bundle a response describes."""
    return Bundle(
        name=response.bundle.name,
        digest=response.bundle.digest,
        layers=_layers(response.layers),
        sample_rate_hz=response.sample_rate_hz,
        hop_samples=response.hop_samples,
        frame_samples=response.frame_samples,
        excerpt_frames=response.excerpt_frames,
        band_centre_hz=tuple(decimal(each) for each in response.band_centre_hz),
        threshold=decimal(response.threshold),
        rules=_rules(response.rules),
        metrics=dict(sorted(response.metrics.items())),
        training_data=tuple(TrainingData(each.name, each.licence, each.digest) for each in response.training_data),
        command=response.command,
        audible=tuple(auralisation_messages.audible(each) for each in response.audible),
        exchange=_exchange(response),
        listeners=tuple(map(_listener, response.listeners)),
    )


def _listener(message: bundle_pb2.Listener) -> Listener:
    return Listener(
        name=message.name,
        decision=_DECISIONS.get(message.decision, "unknown"),
        labels=tuple(each.name for each in message.labels),
        thresholds={each.name: decimal(each.threshold) for each in message.labels if each.HasField("threshold")},
        layers=_layers(message.layers),
        sample_rate_hz=message.sample_rate_hz,
        hop_samples=message.hop_samples,
        excerpt_frames=message.excerpt_frames,
        bands=len(message.band_centre_hz),
        rules=_rules(message.rules),
        rpcs=tuple(message.rpcs),
        exchange=_exchange(message),
    )


def _layers(messages: Iterable[bundle_pb2.Layer]) -> tuple[Layer, ...]:
    return tuple(Layer(each.name, tuple(each.shape), each.invertible) for each in messages)


def _rules(messages: Iterable[bundle_pb2.ExplanationRule]) -> tuple[Rule, ...]:
    return tuple(Rule(each.name, decimal(each.default_alpha), each.explains_any_label) for each in messages)


def _exchange(message: bundle_pb2.DescribeBundleResponse | bundle_pb2.Listener) -> ExchangeBank | None:
    bank = message.exchange
    return ExchangeBank(bank.excerpts, bank.licence) if message.HasField("exchange") else None
