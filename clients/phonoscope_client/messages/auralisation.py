"""`Auralise` between the contract's messages and results."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from phonoscope.v1 import audio_pb2, auralisation_pb2

from phonoscope_client import arguments
from phonoscope_client.errors import ServiceError
from phonoscope_client.messages.listener import ASKED_OF_THE_FIRST, Choice
from phonoscope_client.messages.wire import (
    axes,
    bundle_reference,
    decimal,
    precision,
    sound_warnings,
    time_frequency_map,
    waveform,
)
from phonoscope_client.results.auralisation import Auralisation, HeardFeature, Network, Resynthesis
from phonoscope_client.results.bundle import AudibleNetwork
from phonoscope_client.transport.audio import Section

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
    choice: Choice = ASKED_OF_THE_FIRST,
    map_precision: str = "float32",
) -> auralisation_pb2.AuraliseRequest:
    """The request for some features; see `Client.auralise`.

    Raises:
        InvalidInputError: a name or number is none that the contract has.
    """
    wanted = "a list of numbers of features, counted from 0"
    listed = arguments.several("features", features, wanted)
    return auralisation_pb2.AuraliseRequest(
        audio=audio,
        at_s=at_s,
        network=None if choice.listener is not None else arguments.choice("network", network, _NETWORKS),
        layer=arguments.text("layer", layer, 'the name of a layer, such as "conv3"'),
        features=[arguments.whole_number("features", each, 0, 2**32, wanted) for each in listed],
        strongest=0 if strongest is None else arguments.whole_number("strongest", strongest, 0, 2**32),
        largest_activation_only=arguments.flag("largest_activation_only", largest_activation_only),
        resynthesis=arguments.choice("resynthesis", resynthesis, _RESYNTHESES),
        listen=arguments.flag("listen", listen),
        map_precision=precision(map_precision),
        **choice.fields(),
    )


def auralisation(
    response: auralisation_pb2.AuraliseResponse, *, network: Network, layer: str, section: Section
) -> Auralisation:
    """The auralisation in a response.

    Args:
        response: as the service sent it.
        network: the one asked for.
        layer: likewise.
        section: what was sent of the recording; times are moved by its start.

    Raises:
        ServiceError: the response breaks the contract.
    """
    if response.resynthesis not in _RESYNTHESIS_NAMES:
        raise ServiceError("the service answered with a resynthesis this client does not know")
    return Auralisation(
        bundle=bundle_reference(response.bundle),
        at_s=section.start_s + response.at_s,
        network=response.listener or network,
        layer=layer,
        resynthesis=_RESYNTHESIS_NAMES[response.resynthesis],
        axes=axes(response.axes, section.start_s),
        given=time_frequency_map(response.given),
        labels=np.array([each.label for each in response.classes], np.str_),
        class_probability=np.array([each.probability for each in response.classes], np.float32),
        features={f"{each.layer}-{each.feature}": _feature(each) for each in response.features},
        original_audio=waveform(response, "original_audio"),
        seconds=response.seconds,
        label=response.label or None,
        contrast=response.contrast or None,
        log_odds=np.array([each.log_odds for each in response.labels], np.float32),
        warnings=sound_warnings(response.warnings, section),
    )


def audible(network: auralisation_pb2.AudibleNetwork) -> AudibleNetwork:
    """What a bundle can make heard."""
    names = {number: name for name, number in _NETWORKS.items()}
    name = network.listener or names.get(network.network)  # a service of before names no listener
    if name is None:
        raise ServiceError(f"the service named a network, {network.network}, that this client does not know")
    return AudibleNetwork(
        name,
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
