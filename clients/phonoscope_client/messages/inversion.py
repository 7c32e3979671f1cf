"""Inversions out of protocol buffers."""

from __future__ import annotations

from phonoscope.v1 import inversion_pb2

from phonoscope_client.messages.wire import (
    axes,
    bundle_reference,
    decimal,
    sound_warnings,
    time_frequency_map,
    waveform,
)
from phonoscope_client.results.inversion import Inversions, LayerInversion


def inversions(response: inversion_pb2.InvertLayersResponse, *, start_s: int) -> Inversions:
    """The inversions in a response.

    Args:
        response: as the service sent it.
        start_s: where the sound that was sent starts in the recording; times are moved by it.

    Raises:
        ServiceError: the response breaks the contract.
    """
    return Inversions(
        bundle=bundle_reference(response.bundle),
        at_s=start_s + response.at_s,
        probability=decimal(response.probability),
        threshold=decimal(response.threshold),
        axes=axes(response.axes, start_s),
        log_mel=time_frequency_map(response.log_mel),
        standardised=time_frequency_map(response.standardised),
        layers={each.layer: _layer_inversion(each) for each in response.inversions},
        original_audio=waveform(response, "original_audio"),
        log_mel_audio=waveform(response, "log_mel_audio"),
        seconds=response.seconds,
        warnings=sound_warnings(response.warnings, start_s),
    )


def _layer_inversion(message: inversion_pb2.LayerInversion) -> LayerInversion:
    return LayerInversion(
        inverted=time_frequency_map(message.inverted),
        reconstruction_error=decimal(message.reconstruction_error),
        reconstruction_percentile=decimal(message.reconstruction_percentile),
        out_of_distribution=message.out_of_distribution,
        audio=waveform(message, "audio"),
    )
