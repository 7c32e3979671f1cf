"""Requests into protocol buffers, and protocol buffers into results."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from phonoscope.v1 import explanation_pb2

from phonoscope_client.errors import ServiceError, invalid
from phonoscope_client.messages.wire import (
    axes,
    bundle_reference,
    decimal,
    sound_warnings,
    time_frequency_map,
    waveform,
)
from phonoscope_client.results.explanation import Explanation, Masking, Trust
from phonoscope_client.results.parts import Label

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


def explanation(response: explanation_pb2.ExplainResponse, *, start_s: int) -> Explanation:
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
        bundle=bundle_reference(response.bundle),
        at_s=start_s + response.at_s,
        label=_LABELS[trust.predicted_label],
        probability=decimal(trust.probability),
        threshold=decimal(response.threshold),
        alpha=decimal(response.alpha),
        masking=_MASKING_NAMES[response.masking],
        axes=axes(response.axes, start_s),
        log_mel=time_frequency_map(response.log_mel),
        rule=response.rule,
        relevance=time_frequency_map(response.relevance),
        mask=_region(response.region),
        inverted=time_frequency_map(response.inverted) if response.HasField("inverted") else None,
        explanation=time_frequency_map(response.explanation) if response.HasField("explanation") else None,
        outside_db=decimal(response.outside_db) if response.HasField("outside_db") else None,
        trust=_trust(trust),
        original_audio=waveform(response, "original_audio"),
        explanation_audio=waveform(response, "explanation_audio"),
        warnings=sound_warnings(response.warnings, start_s),
    )


def _trust(trust: explanation_pb2.Trust) -> Trust:
    return Trust(
        relative_area=decimal(trust.relative_area),
        label_kept=trust.label_kept,
        masked_probability=decimal(trust.masked_probability),
        removed_probability=decimal(trust.removed_probability),
        removal_flips_label=trust.removal_flips_label,
        control_probabilities=tuple(decimal(each) for each in trust.control_probabilities),
        controls_that_keep_label=trust.controls_that_keep_label,
        control_seed=trust.control_seed,
        reconstruction_error=decimal(trust.reconstruction_error),
        reconstruction_percentile=decimal(trust.reconstruction_percentile),
        out_of_distribution=trust.out_of_distribution,
        heard_probability=decimal(trust.heard_probability) if trust.HasField("heard_probability") else None,
        heard_label_kept=trust.heard_label_kept if trust.HasField("heard_label_kept") else None,
    )


def _region(message: explanation_pb2.Region) -> npt.NDArray[np.bool_]:
    inside = np.frombuffer(message.inside, np.uint8)
    if inside.size != message.frames * message.bands:
        raise ServiceError(
            f"the service sent a region of {inside.size} bins for {message.frames} frames of {message.bands} bands"
        )
    return inside.reshape(message.frames, message.bands).astype(np.bool_)
