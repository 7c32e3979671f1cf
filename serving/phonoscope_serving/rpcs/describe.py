"""`DescribeBundle`: what is served, as the contract's message."""

from __future__ import annotations

from collections.abc import Iterable

from phonoscope.v1 import bundle_pb2, bundle_reference_pb2

from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.rpcs.auralise import messages as auralisation_messages
from phonoscope_serving.rpcs.auralise.networks import AudibleNetwork


def response(
    bundle: Bundle, audible: Iterable[AudibleNetwork], reference: bundle_reference_pb2.BundleReference
) -> bundle_pb2.DescribeBundleResponse:
    """All there is to say of `bundle`, which `reference` names, and of its networks that can be made heard."""
    front_end = bundle.front_end
    return bundle_pb2.DescribeBundleResponse(
        bundle=reference,
        layers=[
            bundle_pb2.Layer(
                name=layer.name, shape=layer.shape, invertible=layer.name in bundle.inversion_error_quantiles
            )
            for layer in bundle.layers
        ],
        sample_rate_hz=front_end.sample_rate_hz,
        hop_samples=front_end.hop_samples,
        frame_samples=front_end.frame_samples,
        excerpt_frames=front_end.excerpt_frames,
        band_centre_hz=front_end.band_centre_hz,
        threshold=bundle.threshold,
        rules=[bundle_pb2.ExplanationRule(name=rule.name, default_alpha=rule.default_alpha) for rule in bundle.rules],
        metrics=dict(bundle.metrics),
        training_data=[
            bundle_pb2.TrainingData(name=data.name, licence=data.licence, digest=data.digest)
            for data in bundle.training_data
        ],
        command=bundle.command,
        audible=auralisation_messages.audible(audible),
        exchange=None
        if bundle.exchange is None
        else bundle_pb2.ExchangeBank(excerpts=bundle.exchange.excerpts, licence=bundle.exchange.licence),
    )
