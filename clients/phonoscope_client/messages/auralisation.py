"""`Auralise` between the contract's messages and results."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from phonoscope.v1 import audio_pb2, auralisation_pb2

from phonoscope_client.errors import ServiceError, invalid
from phonoscope_client.messages.wire import (
    axes,
    bundle_reference,
    decimal,
    sound_warnings,
    time_frequency_map,
    waveform,
)
from phonoscope_client.results.auralisation import Auralisation, HeardFeature, Network, Resynthesis
from phonoscope_client.results.bundle import AudibleNetwork

_NETWORKS: dict[Network, auralisation_pb2.Network] = {
    "tagger": auralisation_pb2.NETWORK_TAGGER,
    "detector": auralisation_pb2.NETWORK_DETECTOR,
}
_RESYNTHESES: dict[Resynthesis, auralisation_pb2.Resynthesis] = {
    "phase": auralisation_pb2.RESYNTHESIS_PHASE,
    "spectrum": auralisation_pb2.RESYNTHESIS_SPECTRUM,
}
_RESYNTHESIS_NAMES = {number: name for name, number in _RESYNTHESES.items()}


def request(
    audio: audio_pb2.Audio,
    at_s: float,
    network: Network,
    layer: str,
    features: Collection[int],
    strongest: int | None,
    largest_activation_only: bool,
    resynthesis: Resynthesis,
    listen: bool,
) -> auralisation_pb2.AuraliseRequest:
    """The request for some features; see `Client.auralise`.

    Raises:
        InvalidInputError: a name or number is none that the contract has.
    """
    if network not in _NETWORKS:
        raise invalid("network", f'{network!r}; give "tagger" or "detector"')
    if resynthesis not in _RESYNTHESES:
        raise invalid("resynthesis", f'{resynthesis!r}; give "phase" or "spectrum"')
    if wrong := [each for each in (*features, *([] if strongest is None else [strongest])) if not 0 <= each < 2**32]:
        raise invalid("features", f"{wrong[0]}; features are counted from 0")
    return auralisation_pb2.AuraliseRequest(
        audio=audio,
        at_s=at_s,
        network=_NETWORKS[network],
        layer=layer,
        features=features,
        strongest=strongest or 0,
        largest_activation_only=largest_activation_only,
        resynthesis=_RESYNTHESES[resynthesis],
        listen=listen,
    )


def auralisation(
    response: auralisation_pb2.AuraliseResponse, *, network: Network, layer: str, start_s: int
) -> Auralisation:
    """The auralisation in a response.

    Args:
        response: as the service sent it.
        network: the one asked for.
        layer: likewise.
        start_s: where the sound that was sent starts in the recording; times are moved by it.

    Raises:
        ServiceError: the response breaks the contract.
    """
    if response.resynthesis not in _RESYNTHESIS_NAMES:
        raise ServiceError("the service answered with a resynthesis this client does not know")
    return Auralisation(
        bundle=bundle_reference(response.bundle),
        at_s=start_s + response.at_s,
        network=network,
        layer=layer,
        resynthesis=_RESYNTHESIS_NAMES[response.resynthesis],
        axes=axes(response.axes, start_s),
        given=time_frequency_map(response.given),
        labels=np.array([each.label for each in response.classes], np.str_),
        class_probability=np.array([each.probability for each in response.classes], np.float32),
        features={f"{each.layer}-{each.feature}": _feature(each) for each in response.features},
        original_audio=waveform(response, "original_audio"),
        seconds=response.seconds,
        warnings=sound_warnings(response.warnings, start_s),
    )


def audible(network: auralisation_pb2.AudibleNetwork) -> AudibleNetwork:
    """What a bundle can make heard."""
    names = {number: name for name, number in _NETWORKS.items()}
    if network.network not in names:
        raise ServiceError(f"the service named a network, {network.network}, that this client does not know")
    return AudibleNetwork(
        names[network.network],
        {layer.name: layer.features for layer in network.layers},
        tuple(network.labels),
        network.clip_s,
    )


def _feature(message: auralisation_pb2.HeardFeature) -> HeardFeature:
    return HeardFeature(
        feature=message.feature,
        strength=decimal(message.strength),
        heard=time_frequency_map(message.heard),
        audio=waveform(message, "audio"),
    )
