"""`Explain` between the contract's messages and domain terms."""

from __future__ import annotations

from functools import partial

import numpy as np
from phonoscope.v1 import bundle_reference_pb2, explanation_pb2

from phonoscope_serving.bundle.listeners.listener import Listener
from phonoscope_serving.rpcs.explain.answer import DEFAULT_OUTSIDE_DB, Explanation, Question
from phonoscope_serving.rpcs.explain.exchange import Evidence, Exchange, Share
from phonoscope_serving.rpcs.explain.nearest import Nearest
from phonoscope_serving.rpcs.explain.region import Alpha, LargestAlphaThatKeepsLabel, Masking, MaximumArea, RegionChoice
from phonoscope_serving.rpcs.explain.trust import Doubt, Trust
from phonoscope_serving.rpcs.label_answers import label_messages
from phonoscope_serving.rpcs.wire import axes, sound_warnings, time_frequency_map, wants_half, waveform
from phonoscope_serving.tensors import Floats

_EVIDENCE = {
    explanation_pb2.EVIDENCE_FULL: Evidence.FULL,
    explanation_pb2.EVIDENCE_KEPT: Evidence.KEPT,
    explanation_pb2.EVIDENCE_MEAN_FILL: Evidence.MEAN_FILL,
}
_EVIDENCE_GIVEN = {evidence: number for number, evidence in _EVIDENCE.items()}
_LABELS = {"vocal": explanation_pb2.LABEL_VOCAL, "instrumental": explanation_pb2.LABEL_INSTRUMENTAL}
_MASKINGS = {Masking.M1: explanation_pb2.MASKING_M1, Masking.M2: explanation_pb2.MASKING_M2}


def question(request: explanation_pb2.ExplainRequest) -> Question:
    """What a validated request asks."""
    return Question(
        at_s=request.at_s,
        rule=request.rule,
        region=region_choice(request.region),
        masking=masking(request.masking),
        listen=request.listen,
        outside_db=request.outside_db if request.HasField("outside_db") else DEFAULT_OUTSIDE_DB,
        detailed=request.detailed,
        control_seed=request.control_seed if request.HasField("control_seed") else None,
        evidence=_EVIDENCE.get(request.evidence),
        label=request.label,
        contrast=request.contrast,
        nearest=request.nearest,
        half_maps=wants_half(request),
    )


def response(
    answer: Explanation, asked: Question, listener: Listener, reference: bundle_reference_pb2.BundleReference
) -> explanation_pb2.ExplainResponse:
    """The answer to `asked`, from `listener` of the bundle `reference`."""
    rate_hz = listener.front_end.sample_rate_hz
    carried, silhouette = (None, None) if answer.exchange_audio is None else answer.exchange_audio
    written = partial(time_frequency_map, half=asked.half_maps)
    return explanation_pb2.ExplainResponse(
        bundle=reference,
        at_s=answer.at_s,
        axes=axes(listener.front_end, answer.start_s),
        log_mel=written(answer.log_mel),
        relevance=written(answer.relevance),
        region=region_message(answer.mask),
        inverted=None if answer.inverted is None else written(answer.inverted),
        explanation=None if answer.explanation is None else written(answer.explanation),
        rule=answer.rule,
        outside_db=asked.outside_db if asked.listen else None,
        alpha=answer.alpha,
        masking=masking_message(asked.masking),
        threshold=answer.claim.threshold,
        trust=_trust(answer.trust, answer.predicted),
        original_audio=waveform(answer.original_audio, rate_hz),
        explanation_audio=waveform(answer.explanation_audio, rate_hz),
        carried_audio=waveform(carried, rate_hz),
        silhouette_audio=waveform(silhouette, rate_hz),
        warnings=sound_warnings(answer.warnings),
        listener=listener.name,
        label=answer.claim.name,
        contrast=answer.claim.contrast_name,
        labels=label_messages(answer.labels),
        predicted_label=answer.predicted,
        nearest=[_nearest(each) for each in answer.nearest],
    )


def _nearest(found: Nearest) -> explanation_pb2.NearestExample:
    example = found.example
    return explanation_pb2.NearestExample(
        song=example.song, start_s=example.start_s, label=example.label, distance=found.distance
    )


def masking(message: explanation_pb2.Masking) -> Masking:
    """What a masked bin is to become."""
    return Masking.M2 if message == explanation_pb2.MASKING_M2 else Masking.M1


def masking_message(chosen: Masking) -> explanation_pb2.Masking:
    """What a masked bin became."""
    return _MASKINGS[chosen]


def region_choice(region: explanation_pb2.RegionChoice) -> RegionChoice:
    """How a region is to be chosen."""
    match region.WhichOneof("choice"):
        case "alpha":
            return Alpha(region.alpha)
        case "maximum_area":
            return MaximumArea(region.maximum_area)
        case "largest_alpha_that_keeps_label":
            return LargestAlphaThatKeepsLabel()
    return Alpha(None)


def region_message(mask: Floats) -> explanation_pb2.Region:
    """A region `[T, M]`, 1 inside."""
    frames, bands = mask.shape
    return explanation_pb2.Region(frames=frames, bands=bands, inside=mask.astype(np.uint8).tobytes())


def _trust(trust: Trust, predicted: str) -> explanation_pb2.Trust:
    return explanation_pb2.Trust(
        predicted_label=_LABELS.get(predicted, explanation_pb2.LABEL_UNSPECIFIED),
        probability=trust.probability,
        masked_probability=trust.masked_probability,
        label_kept=trust.label_kept,
        removed_probability=trust.removed_probability,
        removal_flips_label=trust.removal_flips_label,
        relative_area=trust.relative_area,
        control_probabilities=trust.control_probabilities,
        controls_that_keep_label=trust.controls_that_keep_label,
        control_seed=trust.control_seed,
        reconstruction_error=trust.reconstruction_error,
        reconstruction_percentile=trust.reconstruction_percentile,
        out_of_distribution=trust.out_of_distribution,
        heard_probability=trust.heard_probability,
        heard_label_kept=trust.heard_label_kept,
        heard_control_probabilities=trust.heard_control_probabilities,
        heard_controls_keep_label=trust.heard_controls_keep_label,
        heard_control_label_kept=trust.heard_control_label_kept,
        evidence=_EVIDENCE_GIVEN[trust.evidence],
        exchange=None if trust.exchange is None else exchange_message(trust.exchange),
        doubt=None if trust.doubt is None else doubt_message(trust.doubt),
    )


def doubt_message(doubt: Doubt) -> explanation_pb2.Doubt:
    """How far an answer is to be doubted."""
    return explanation_pb2.Doubt(
        doubt=doubt.doubt, wrong=doubt.wrong, foreign=doubt.foreign, percentile=doubt.percentile
    )


def exchange_message(exchange: Exchange) -> explanation_pb2.Exchange:
    """What came of an exchange."""
    carried, silhouette = exchange.heard.probabilities or (None, None)
    carried_kept, silhouette_kept = exchange.heard.keeps or (None, None)
    return explanation_pb2.Exchange(
        carried=_share(exchange.carried),
        silhouette=_share(exchange.silhouette),
        removed=_share(exchange.removed),
        random=_share(exchange.random),
        shifted=_share(exchange.shifted),
        other=_share(exchange.other),
        carried_over_silhouette=exchange.carried_over_silhouette,
        carried_heard_probability=carried,
        silhouette_heard_probability=silhouette,
        carried_heard_label_kept=carried_kept,
        silhouette_heard_label_kept=silhouette_kept,
    )


def _share(share: Share) -> explanation_pb2.Share:
    return explanation_pb2.Share(n=share.n, kept=share.kept, probabilities=share.probabilities, keeps=share.keeps)
