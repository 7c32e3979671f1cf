"""Requests into protocol buffers, and protocol buffers into results."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from google.protobuf.message import Message
from phonoscope.v1 import audio_pb2, explainer_service_pb2, explanation_pb2

from phonoscope_client.errors import ServiceError, invalid
from phonoscope_client.inversions import Inversions, LayerInversion
from phonoscope_client.results import (
    Axes,
    Bundle,
    BundleReference,
    Curve,
    Explanation,
    Floats,
    Label,
    Layer,
    Masking,
    Rule,
    TrainingData,
    Trust,
    Waveform,
)

_LABELS: dict[int, Label] = {
    explanation_pb2.LABEL_VOCAL: "vocal",
    explanation_pb2.LABEL_INSTRUMENTAL: "instrumental",
}
_MASKINGS = {"m1": explanation_pb2.MASKING_M1, "m2": explanation_pb2.MASKING_M2}
_MASKING_NAMES: dict[int, Masking] = {explanation_pb2.MASKING_M1: "m1", explanation_pb2.MASKING_M2: "m2"}


def region_choice(
    alpha: float | Literal["keep-label"] | None, maximum_area: float | None
) -> explanation_pb2.RegionChoice:
    """How the region is to be chosen; where neither is given, by the rule's default alpha.

    Raises:
        InvalidInputError: both are given, or alpha is a word other than "keep-label".
    """
    if alpha is not None and maximum_area is not None:
        raise invalid("maximum_area", "given together with alpha; give one of the two")
    if maximum_area is not None:
        return explanation_pb2.RegionChoice(maximum_area=maximum_area)
    if alpha == "keep-label":
        return explanation_pb2.RegionChoice(largest_alpha_that_keeps_label=True)
    if isinstance(alpha, str):
        raise invalid("alpha", f'{alpha!r}; give a number from 0 to 1, or "keep-label"')
    return explanation_pb2.RegionChoice(alpha=alpha)


def masking(name: str) -> explanation_pb2.Masking:
    """What a masked bin is to become.

    Raises:
        InvalidInputError: the name is neither "m1" nor "m2".
    """
    if name not in _MASKINGS:
        raise invalid("masking", f'{name!r}; give "m1" or "m2"')
    return _MASKINGS[name]


def explanation(response: explainer_service_pb2.ExplainResponse, *, start_s: int) -> Explanation:
    """The explanation in a response.

    Args:
        response: as the service sent it.
        start_s: where the sound that was sent starts in the recording; times are moved by it.

    Raises:
        ServiceError: the response breaks the contract.
    """
    trust = response.trust
    if trust.predicted_label not in _LABELS or response.masking not in _MASKING_NAMES:
        raise ServiceError("the service answered without a label or masking this client knows")
    return Explanation(
        bundle=_bundle_reference(response.bundle),
        at_s=start_s + response.at_s,
        label=_LABELS[trust.predicted_label],
        probability=_decimal(trust.probability),
        threshold=_decimal(response.threshold),
        alpha=_decimal(response.alpha),
        masking=_MASKING_NAMES[response.masking],
        axes=_axes(response.axes, start_s),
        log_mel=_map(response.log_mel),
        rule=response.rule,
        relevance=_map(response.relevance),
        mask=_region(response.region),
        inverted=_map(response.inverted) if response.HasField("inverted") else None,
        explanation=_map(response.explanation) if response.HasField("explanation") else None,
        outside_db=_decimal(response.outside_db) if response.HasField("outside_db") else None,
        trust=_trust(trust),
        original_audio=_waveform(response, "original_audio"),
        explanation_audio=_waveform(response, "explanation_audio"),
    )


def inversions(response: explainer_service_pb2.InvertLayersResponse, *, start_s: int) -> Inversions:
    """The inversions in a response.

    Args:
        response: as the service sent it.
        start_s: where the sound that was sent starts in the recording; times are moved by it.

    Raises:
        ServiceError: the response breaks the contract.
    """
    return Inversions(
        bundle=_bundle_reference(response.bundle),
        at_s=start_s + response.at_s,
        probability=_decimal(response.probability),
        threshold=_decimal(response.threshold),
        axes=_axes(response.axes, start_s),
        log_mel=_map(response.log_mel),
        standardised=_map(response.standardised),
        layers={each.layer: _layer_inversion(each) for each in response.inversions},
        original_audio=_waveform(response, "original_audio"),
        log_mel_audio=_waveform(response, "log_mel_audio"),
        seconds=response.seconds,
    )


def curve(response: explainer_service_pb2.PredictResponse) -> Curve:
    """The curve in a response."""
    return Curve(
        bundle=_bundle_reference(response.bundle),
        probability=np.array(response.probability, np.float32),
        frames_per_second=response.frames_per_second,
        threshold=_decimal(response.threshold),
    )


def bundle(response: explainer_service_pb2.DescribeBundleResponse) -> Bundle:
    """The bundle a response describes."""
    return Bundle(
        name=response.bundle.name,
        digest=response.bundle.digest,
        layers=tuple(Layer(each.name, tuple(each.shape), each.invertible) for each in response.layers),
        sample_rate_hz=response.sample_rate_hz,
        hop_samples=response.hop_samples,
        frame_samples=response.frame_samples,
        excerpt_frames=response.excerpt_frames,
        band_centre_hz=tuple(_decimal(each) for each in response.band_centre_hz),
        threshold=_decimal(response.threshold),
        rules=tuple(Rule(each.name, _decimal(each.default_alpha)) for each in response.rules),
        metrics=dict(sorted(response.metrics.items())),
        training_data=tuple(TrainingData(each.name, each.licence, each.digest) for each in response.training_data),
        command=response.command,
    )


def _trust(trust: explanation_pb2.Trust) -> Trust:
    return Trust(
        relative_area=_decimal(trust.relative_area),
        label_kept=trust.label_kept,
        masked_probability=_decimal(trust.masked_probability),
        removed_probability=_decimal(trust.removed_probability),
        removal_flips_label=trust.removal_flips_label,
        control_probability=_decimal(trust.control_probability),
        control_label_kept=trust.control_label_kept,
        reconstruction_error=_decimal(trust.reconstruction_error),
        reconstruction_percentile=_decimal(trust.reconstruction_percentile),
        out_of_distribution=trust.out_of_distribution,
        heard_probability=_decimal(trust.heard_probability) if trust.HasField("heard_probability") else None,
        heard_label_kept=trust.heard_label_kept if trust.HasField("heard_label_kept") else None,
    )


def _layer_inversion(message: explainer_service_pb2.LayerInversion) -> LayerInversion:
    return LayerInversion(
        inverted=_map(message.inverted),
        reconstruction_error=_decimal(message.reconstruction_error),
        reconstruction_percentile=_decimal(message.reconstruction_percentile),
        out_of_distribution=message.out_of_distribution,
        audio=_waveform(message, "audio"),
    )


def _axes(axes: explanation_pb2.TimeFrequencyAxes, start_s: int) -> Axes:
    return Axes(
        start_s=start_s + axes.start_s,
        frames_per_second=axes.frames_per_second,
        band_centre_hz=np.array(axes.band_centre_hz, np.float32),
    )


def _bundle_reference(reference: explanation_pb2.BundleReference) -> BundleReference:
    return BundleReference(reference.name, reference.digest)


def _map(message: explanation_pb2.TimeFrequencyMap) -> Floats:
    values = np.frombuffer(message.values, "<f4")
    if values.size != message.frames * message.bands:
        raise ServiceError(
            f"the service sent {values.size} values for {message.frames} frames of {message.bands} bands"
        )
    return values.reshape(message.frames, message.bands)


def _region(message: explanation_pb2.Region) -> npt.NDArray[np.bool_]:
    inside = np.frombuffer(message.inside, np.uint8)
    if inside.size != message.frames * message.bands:
        raise ServiceError(
            f"the service sent a region of {inside.size} bins for {message.frames} frames of {message.bands} bands"
        )
    return inside.reshape(message.frames, message.bands).astype(np.bool_)


def _waveform(message: Message, field: str) -> Waveform | None:
    if not message.HasField(field):
        return None
    sound: audio_pb2.Waveform = getattr(message, field)
    return Waveform(np.frombuffer(sound.samples, "<f4"), sound.sample_rate_hz)


def _decimal(value: float) -> float:
    """The shortest decimal that names a float32: 0.6 where float64 would say 0.6000000238418579."""
    return float(str(np.float32(value)))
