"""The description of a bundle out of protocol buffers."""

from __future__ import annotations

from phonoscope.v1 import bundle_pb2

from phonoscope_client.messages import auralisation as auralisation_messages
from phonoscope_client.messages.wire import decimal
from phonoscope_client.results.bundle import Bundle, ExchangeBank, Layer, Rule, TrainingData


def bundle(response: bundle_pb2.DescribeBundleResponse) -> Bundle:
    """The bundle a response describes."""
    return Bundle(
        name=response.bundle.name,
        digest=response.bundle.digest,
        layers=tuple(Layer(each.name, tuple(each.shape), each.invertible) for each in response.layers),
        sample_rate_hz=response.sample_rate_hz,
        hop_samples=response.hop_samples,
        frame_samples=response.frame_samples,
        excerpt_frames=response.excerpt_frames,
        band_centre_hz=tuple(decimal(each) for each in response.band_centre_hz),
        threshold=decimal(response.threshold),
        rules=tuple(Rule(each.name, decimal(each.default_alpha)) for each in response.rules),
        metrics=dict(sorted(response.metrics.items())),
        training_data=tuple(TrainingData(each.name, each.licence, each.digest) for each in response.training_data),
        command=response.command,
        audible=tuple(auralisation_messages.audible(each) for each in response.audible),
        exchange=(
            ExchangeBank(response.exchange.excerpts, response.exchange.licence)
            if response.HasField("exchange")
            else None
        ),
    )
