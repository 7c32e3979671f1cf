"""`Auralise` between the contract's messages and domain terms."""

from __future__ import annotations

from collections.abc import Iterable

from phonoscope.v1 import auralisation_pb2, bundle_reference_pb2

from phonoscope_serving.rpcs.auralise.answer import Auralisation, AuralisationQuestion, HeardFeature, Resynthesis
from phonoscope_serving.rpcs.auralise.networks import TAGGER, AudibleNetwork
from phonoscope_serving.rpcs.label_answers import label_messages
from phonoscope_serving.rpcs.wire import axes, sound_warnings, time_frequency_map, wants_half, waveform

NETWORKS = {auralisation_pb2.NETWORK_TAGGER: TAGGER, auralisation_pb2.NETWORK_DETECTOR: "detector"}
_NUMBERS = {name: number for number, name in NETWORKS.items()}
_RESYNTHESES = {
    auralisation_pb2.RESYNTHESIS_PHASE: Resynthesis.PHASE,
    auralisation_pb2.RESYNTHESIS_SPECTRUM: Resynthesis.SPECTRUM,
}


def question(request: auralisation_pb2.AuraliseRequest) -> AuralisationQuestion:
    """What a validated request asks."""
    return AuralisationQuestion(
        at_s=request.at_s,
        network=request.listener or NETWORKS.get(request.network, TAGGER),
        layer=request.layer,
        features=tuple(request.features),
        strongest=request.strongest,
        largest_activation_only=request.largest_activation_only,
        resynthesis=_RESYNTHESES.get(request.resynthesis, Resynthesis.PHASE),
        listen=request.listen,
        label=request.label,
        contrast=request.contrast,
        half_maps=wants_half(request),
    )


def response(
    answer: Auralisation, asked: AuralisationQuestion, reference: bundle_reference_pb2.BundleReference, seconds: float
) -> auralisation_pb2.AuraliseResponse:
    """The answer to `asked`, from the bundle `reference`, which took `seconds`."""
    front_end, classes = answer.network.front_end, zip(answer.network.labels, answer.probability, strict=True)
    rate_hz = front_end.sample_rate_hz
    return auralisation_pb2.AuraliseResponse(
        bundle=reference,
        at_s=answer.excerpt.at_s,
        axes=axes(front_end, answer.excerpt.start_s),
        given=time_frequency_map(answer.given, half=asked.half_maps),
        classes=[auralisation_pb2.ClassProbability(label=label, probability=share) for label, share in classes],
        features=[_feature(feature, answer.layer, rate_hz, asked) for feature in answer.features],
        original_audio=waveform(answer.excerpt.samples[0] if asked.listen else None, rate_hz),
        resynthesis=auralisation_pb2.RESYNTHESIS_SPECTRUM
        if asked.resynthesis is Resynthesis.SPECTRUM
        else auralisation_pb2.RESYNTHESIS_PHASE,
        seconds=seconds,
        listener=answer.network.name,
        label=answer.claim.name,
        contrast=answer.claim.contrast_name,
        labels=label_messages(answer.labels),
        warnings=sound_warnings(answer.excerpt.warnings),
    )


def audible(networks: Iterable[AudibleNetwork]) -> list[auralisation_pb2.AudibleNetwork]:
    """What a bundle can make heard."""
    return [
        auralisation_pb2.AudibleNetwork(
            network=_NUMBERS.get(network.name, auralisation_pb2.NETWORK_UNSPECIFIED),
            layers=[auralisation_pb2.AudibleLayer(name=name, features=width) for name, width in network.layers.items()],
            labels=network.labels,
            listener=network.name,
            clip_s=network.front_end.excerpt_samples / network.front_end.sample_rate_hz,
        )
        for network in networks
    ]


def _feature(
    feature: HeardFeature, layer: str, sample_rate_hz: int, asked: AuralisationQuestion
) -> auralisation_pb2.HeardFeature:
    return auralisation_pb2.HeardFeature(
        layer=layer,
        feature=feature.feature,
        strength=feature.strength,
        heard=time_frequency_map(feature.heard, half=asked.half_maps),
        audio=waveform(feature.audio, sample_rate_hz),
    )
