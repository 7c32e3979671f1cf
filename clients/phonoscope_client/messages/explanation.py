"""`Explain` between the contract's messages and results."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from phonoscope.v1 import audio_pb2, explanation_pb2

from phonoscope_client import arguments
from phonoscope_client.errors import ServiceError, invalid
from phonoscope_client.messages.listener import ASKED_OF_THE_FIRST, Choice, answered
from phonoscope_client.messages.wire import (
    LABELS,
    axes,
    bundle_reference,
    decimal,
    precision,
    sound_warnings,
    time_frequency_map,
    waveform,
)
from phonoscope_client.results.explanation import Doubt, Evidence, Explanation, Masking, Share, Trust
from phonoscope_client.results.parts import NearestExample
from phonoscope_client.transport.audio import Section

_EVIDENCE: dict[Evidence, explanation_pb2.Evidence] = {
    "full": explanation_pb2.EVIDENCE_FULL,
    "kept": explanation_pb2.EVIDENCE_KEPT,
    "mean-fill": explanation_pb2.EVIDENCE_MEAN_FILL,
}
_EVIDENCE_NAMES = {number: name for name, number in _EVIDENCE.items()}
_CONTROLS = ("random", "shifted", "other")
MASKINGS = {"m1": explanation_pb2.MASKING_M1, "m2": explanation_pb2.MASKING_M2}
MASKING_NAMES: dict[int, Masking] = {explanation_pb2.MASKING_M1: "m1", explanation_pb2.MASKING_M2: "m2"}


def request(
    audio: audio_pb2.Audio,
    at_s: float,
    rule: str | None,
    alpha: float | Literal["keep-label"] | None,
    maximum_area: float | None,
    masking: str,
    listen: bool,
    outside_db: float | None,
    detailed: bool,
    control_seed: int | None,
    evidence: str | None,
    choice: Choice = ASKED_OF_THE_FIRST,
    nearest: int = 0,
    map_precision: str = "float32",
) -> explanation_pb2.ExplainRequest:
    """The request of `Client.explain`.

    Raises:
        InvalidInputError: an argument is of no use to any service.
    """
    return explanation_pb2.ExplainRequest(
        audio=audio,
        at_s=at_s,
        region=region_choice(alpha, maximum_area),
        masking=arguments.choice("masking", masking, MASKINGS),
        listen=arguments.flag("listen", listen),
        rule=None if rule is None else arguments.text("rule", rule, "the name of one that `describe` lists"),
        outside_db=None if outside_db is None else arguments.number("outside_db", outside_db, "0 to 120 decibels"),
        detailed=arguments.flag("detailed", detailed),
        control_seed=None if control_seed is None else arguments.whole_number("control_seed", control_seed, 0, 2**31),
        evidence=None if evidence is None else arguments.choice("evidence", evidence, _EVIDENCE),
        nearest=arguments.whole_number("nearest", nearest, 0, 2**31),
        map_precision=precision(map_precision),
        **choice.fields(),
    )


def region_choice(
    alpha: float | Literal["keep-label"] | None, maximum_area: float | None
) -> explanation_pb2.RegionChoice:
    """How regions are to be chosen; where neither is given, by the rule's default alpha."""
    if alpha is not None and maximum_area is not None:
        raise invalid("maximum_area", "given together with alpha; give one of the two")
    if maximum_area is not None:
        area = arguments.number("maximum_area", maximum_area, "a share of the excerpt, above 0 to 1")
        return explanation_pb2.RegionChoice(maximum_area=area)
    if alpha is None:
        return explanation_pb2.RegionChoice()
    if isinstance(alpha, str) and alpha == "keep-label":
        return explanation_pb2.RegionChoice(largest_alpha_that_keeps_label=True)
    return explanation_pb2.RegionChoice(alpha=arguments.number("alpha", alpha, 'a number from 0 to 1, or "keep-label"'))


def explanation(response: explanation_pb2.ExplainResponse, *, section: Section) -> Explanation:
    """The explanation in a response.

    Args:
        response: as the service sent it.
        section: what was sent of the recording; times are moved by its start.

    Raises:
        ServiceError: the response breaks the contract.
    """
    trust = response.trust
    # A service of before has no label by name.
    predicted = response.predicted_label or LABELS.get(trust.predicted_label, "")
    if not predicted or response.masking not in MASKING_NAMES:
        raise ServiceError("the service answered without a label or masking this client knows")
    return Explanation(
        bundle=bundle_reference(response.bundle),
        at_s=section.start_s + response.at_s,
        label=response.label or predicted,
        predicted=predicted,
        **answered(response),
        probability=decimal(trust.probability),
        threshold=decimal(response.threshold),
        alpha=decimal(response.alpha),
        masking=MASKING_NAMES[response.masking],
        axes=axes(response.axes, section.start_s),
        log_mel=time_frequency_map(response.log_mel),
        rule=response.rule,
        relevance=time_frequency_map(response.relevance),
        mask=region(response.region),
        inverted=time_frequency_map(response.inverted) if response.HasField("inverted") else None,
        explanation=time_frequency_map(response.explanation) if response.HasField("explanation") else None,
        outside_db=decimal(response.outside_db) if response.HasField("outside_db") else None,
        trust=_trust(trust),
        original_audio=waveform(response, "original_audio"),
        explanation_audio=waveform(response, "explanation_audio"),
        carried_audio=waveform(response, "carried_audio"),
        silhouette_audio=waveform(response, "silhouette_audio"),
        warnings=sound_warnings(response.warnings, section),
        nearest=tuple(
            NearestExample(each.song, each.start_s, each.label, decimal(each.distance)) for each in response.nearest
        ),
    )


def _trust(trust: explanation_pb2.Trust) -> Trust:
    # A service of before knows no levels of evidence: its own is by mean fill.
    evidence = _EVIDENCE_NAMES.get(trust.evidence, "mean-fill")
    exchange = trust.exchange
    is_full, is_exchange = evidence == "full", trust.HasField("exchange")
    return Trust(
        relative_area=decimal(trust.relative_area),
        label_kept=trust.label_kept,
        masked_probability=decimal(trust.masked_probability),
        removed_probability=None if evidence == "kept" else decimal(trust.removed_probability),
        removal_flips_label=trust.removal_flips_label,
        control_probabilities=tuple(decimal(each) for each in trust.control_probabilities),
        controls_that_keep_label=trust.controls_that_keep_label,
        control_seed=trust.control_seed,
        reconstruction_error=decimal(trust.reconstruction_error),
        reconstruction_percentile=decimal(trust.reconstruction_percentile),
        out_of_distribution=trust.out_of_distribution,
        heard_probability=decimal(trust.heard_probability) if trust.HasField("heard_probability") else None,
        heard_label_kept=trust.heard_label_kept if trust.HasField("heard_label_kept") else None,
        heard_control_probabilities=tuple(decimal(each) for each in trust.heard_control_probabilities) or None,
        heard_control_label_kept=(
            trust.heard_control_label_kept if trust.HasField("heard_control_label_kept") else None
        ),
        evidence=evidence,
        carried=share(exchange.carried) if is_exchange else None,
        silhouette=share(exchange.silhouette) if is_exchange else None,
        removed=share(exchange.removed) if is_full else None,
        controls={name: share(getattr(exchange, name)) for name in _CONTROLS} if is_full else {},
        carried_over_silhouette=_given(exchange, "carried_over_silhouette"),
        carried_heard_probability=_given(exchange, "carried_heard_probability"),
        silhouette_heard_probability=_given(exchange, "silhouette_heard_probability"),
        doubt=doubt(trust.doubt) if trust.HasField("doubt") else None,
        heard_controls_keep_label=tuple(trust.heard_controls_keep_label) or None,
        carried_heard_label_kept=_kept(exchange, "carried_heard_label_kept"),
        silhouette_heard_label_kept=_kept(exchange, "silhouette_heard_label_kept"),
    )


def doubt(message: explanation_pb2.Doubt) -> Doubt:
    """How far an answer is to be doubted."""
    return Doubt(*map(decimal, (message.doubt, message.wrong, message.foreign, message.percentile)))


def share(message: explanation_pb2.Share) -> Share:
    """How often something kept the answer."""
    return Share(message.n, message.kept, tuple(map(decimal, message.probabilities)), tuple(message.keeps))


def _kept(exchange: explanation_pb2.Exchange, name: str) -> bool | None:
    return bool(getattr(exchange, name)) if exchange.HasField(name) else None


def _given(exchange: explanation_pb2.Exchange, name: str) -> float | None:
    return decimal(getattr(exchange, name)) if exchange.HasField(name) else None


def region(message: explanation_pb2.Region) -> npt.NDArray[np.bool_]:
    """A region `[T, M]`, True inside.

    Raises:
        ServiceError: it has another size than it says.
    """
    inside = np.frombuffer(message.inside, np.uint8)
    if inside.size != message.frames * message.bands:
        raise ServiceError(
            f"the service sent a region of {inside.size} bins for {message.frames} frames of {message.bands} bands"
        )
    return inside.reshape(message.frames, message.bands).astype(np.bool_)
