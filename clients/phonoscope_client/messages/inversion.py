"""`InvertLayers` between the contract's messages and results."""

from __future__ import annotations

from collections.abc import Collection

from phonoscope.v1 import audio_pb2, inversion_pb2

from phonoscope_client import arguments
from phonoscope_client.messages.listener import ASKED_OF_THE_FIRST, Choice, answered
from phonoscope_client.messages.wire import (
    axes,
    bundle_reference,
    decimal,
    precision,
    sound_warnings,
    time_frequency_map,
    waveform,
)
from phonoscope_client.results.inversion import Inversions, LayerInversion
from phonoscope_client.transport.audio import Section


def request(
    audio: audio_pb2.Audio,
    at_s: float,
    layers: Collection[str],
    listen: bool,
    choice: Choice = ASKED_OF_THE_FIRST,
    map_precision: str = "float32",
) -> inversion_pb2.InvertLayersRequest:
    """The request of `Client.invert_layers`.

    Raises:
        InvalidInputError: an argument is of no use to any service.
    """
    wanted = 'a list of names, such as ["fc8"]'
    names = [arguments.text("layers", each, wanted) for each in arguments.several("layers", layers, wanted)]
    return inversion_pb2.InvertLayersRequest(
        audio=audio,
        at_s=at_s,
        layers=names,
        listen=arguments.flag("listen", listen),
        map_precision=precision(map_precision),
        **choice.fields(),
    )


def inversions(response: inversion_pb2.InvertLayersResponse, *, section: Section) -> Inversions:
    """The inversions in a response.

    Args:
        response: as the service sent it.
        section: what was sent of the recording; times are moved by its start.

    Raises:
        ServiceError: the response breaks the contract.
    """
    return Inversions(
        bundle=bundle_reference(response.bundle),
        at_s=section.start_s + response.at_s,
        probability=decimal(response.probability),
        threshold=decimal(response.threshold),
        axes=axes(response.axes, section.start_s),
        log_mel=time_frequency_map(response.log_mel),
        standardised=time_frequency_map(response.standardised),
        layers={each.layer: _layer_inversion(each) for each in response.inversions},
        original_audio=waveform(response, "original_audio"),
        log_mel_audio=waveform(response, "log_mel_audio"),
        seconds=response.seconds,
        named_label=response.label or None,
        **answered(response),
        warnings=sound_warnings(response.warnings, section),
    )


def _layer_inversion(message: inversion_pb2.LayerInversion) -> LayerInversion:
    return LayerInversion(
        inverted=time_frequency_map(message.inverted),
        reconstruction_error=decimal(message.reconstruction_error),
        reconstruction_percentile=decimal(message.reconstruction_percentile),
        out_of_distribution=message.out_of_distribution,
        audio=waveform(message, "audio"),
    )
