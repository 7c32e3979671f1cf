"""`InvertLayers` between the contract's messages and domain terms."""

from __future__ import annotations

from phonoscope.v1 import bundle_reference_pb2, inversion_pb2

from phonoscope_serving.bundle.listeners.listener import Listener
from phonoscope_serving.rpcs.invert.answer import Inversion, InversionQuestion, Inversions
from phonoscope_serving.rpcs.label_answers import label_messages
from phonoscope_serving.rpcs.wire import axes, sound_warnings, time_frequency_map, wants_half, waveform


def question(request: inversion_pb2.InvertLayersRequest) -> InversionQuestion:
    """What a validated request asks."""
    return InversionQuestion(
        request.at_s, tuple(request.layers), request.listen, request.label, request.contrast, wants_half(request)
    )


def response(
    answer: Inversions, asked: InversionQuestion, listener: Listener, reference: bundle_reference_pb2.BundleReference
) -> inversion_pb2.InvertLayersResponse:
    """The answer to `asked`, from `listener` of the bundle `reference`; how long it took is not said yet."""
    rate_hz = listener.front_end.sample_rate_hz
    return inversion_pb2.InvertLayersResponse(
        bundle=reference,
        at_s=answer.excerpt.at_s,
        axes=axes(listener.front_end, answer.excerpt.start_s),
        log_mel=time_frequency_map(answer.log_mel, half=asked.half_maps),
        standardised=time_frequency_map(answer.standardised, half=asked.half_maps),
        probability=answer.probability,
        threshold=answer.claim.threshold,
        inversions=[_inversion(inversion, rate_hz, asked) for inversion in answer.layers],
        original_audio=waveform(answer.excerpt.samples[0] if asked.listen else None, rate_hz),
        log_mel_audio=waveform(answer.log_mel_audio, rate_hz),
        warnings=sound_warnings(answer.excerpt.warnings),
        listener=listener.name,
        label=answer.claim.name,
        contrast=answer.claim.contrast_name,
        labels=label_messages(answer.labels),
    )


def _inversion(inversion: Inversion, sample_rate_hz: int, asked: InversionQuestion) -> inversion_pb2.LayerInversion:
    return inversion_pb2.LayerInversion(
        layer=inversion.layer,
        inverted=time_frequency_map(inversion.inverted, half=asked.half_maps),
        reconstruction_error=inversion.reconstruction_error,
        reconstruction_percentile=inversion.reconstruction_percentile,
        out_of_distribution=inversion.out_of_distribution,
        audio=waveform(inversion.audio, sample_rate_hz),
    )
