"""`ExplainTrack` between the contract's messages and domain terms."""

from __future__ import annotations

from phonoscope.v1 import bundle_reference_pb2, decision_pb2, explanation_pb2, track_pb2

from phonoscope_serving.bundle.listeners.listener import Listener
from phonoscope_serving.errors import InvalidRequest, shown
from phonoscope_serving.rpcs.explain.answer import DEFAULT_OUTSIDE_DB
from phonoscope_serving.rpcs.explain.messages import (
    doubt_message,
    exchange_message,
    masking,
    masking_message,
    region_choice,
    region_message,
)
from phonoscope_serving.rpcs.label_answers import label_answers, label_curves, label_messages
from phonoscope_serving.rpcs.naming import Naming, naming_of
from phonoscope_serving.rpcs.segments import decision_of, label, segment_message
from phonoscope_serving.rpcs.track.answer import Begun, Curve, Event
from phonoscope_serving.rpcs.track.explaining import Moment
from phonoscope_serving.rpcs.track.question import Encoded, Moments, Pcm, TrackQuestion, TrustLevel
from phonoscope_serving.rpcs.track.summary import Ranked, Summary
from phonoscope_serving.rpcs.wire import sound_warnings, time_frequency_map, wants_half, waveform

_LEVELS = {
    track_pb2.TRUST_LEVEL_UNSPECIFIED: TrustLevel.KEPT,
    track_pb2.TRUST_LEVEL_NONE: TrustLevel.NONE,
    track_pb2.TRUST_LEVEL_KEPT: TrustLevel.KEPT,
    track_pb2.TRUST_LEVEL_FULL: TrustLevel.FULL,
}
_LEVEL_MESSAGES = {level: number for number, level in _LEVELS.items()}  # the last of each, which is its own
_LABEL_NAMES = {explanation_pb2.LABEL_VOCAL: "vocal", explanation_pb2.LABEL_INSTRUMENTAL: "instrumental"}


def question(settings: track_pb2.TrackSettings, listener: Listener) -> TrackQuestion:
    """What validated settings ask of a listener.

    Raises:
        InvalidRequest: it has no such label, needs one, or has one that cannot be asked for so.
    """
    listener.decision.check(settings.label, settings.contrast)
    if settings.contrast and not settings.label:
        known = f"name the label, too; {listener.name} has {', '.join(listener.decision.labels)}"
        raise InvalidRequest.at("contrast", f"is {settings.contrast}, and nothing is explained against it; {known}")
    naming = naming_of(listener, settings.label)
    is_pcm = settings.WhichOneof("sound") == "pcm"
    return TrackQuestion(
        sound=Pcm(settings.pcm.sample_rate_hz, settings.pcm.channels or 1)
        if is_pcm
        else Encoded(settings.encoded.size_bytes),
        moments=_moments(settings.moments, naming),
        region=region_choice(settings.region),
        masking=masking(settings.masking),
        trust=_LEVELS[settings.trust],
        rule=settings.rule,
        control_seed=settings.control_seed if settings.HasField("control_seed") else None,
        decision=decision_of(settings.decision, naming),
        from_s=settings.from_s,
        spectrogram=settings.spectrogram,
        maps=settings.maps,
        outside_db=_outside_db(settings),
        label=settings.label,
        contrast=settings.contrast,
        half_maps=wants_half(settings),
    )


def response(
    event: Event,
    asked: TrackQuestion,
    listener: Listener,
    reference: bundle_reference_pb2.BundleReference,
    seconds: float,
) -> track_pb2.ExplainTrackResponse:
    """One event of the answer.

    Args:
        event: what happened.
        asked: what it answers.
        listener: that answers.
        reference: names it.
        seconds: since the question was asked.
    """
    match event:
        case Begun():
            return track_pb2.ExplainTrackResponse(begun=_begun(event, asked, listener, reference))
        case Curve():
            return track_pb2.ExplainTrackResponse(curve=_curve(event, asked, listener))
        case Moment():
            return track_pb2.ExplainTrackResponse(explanation=_explanation(event, asked, listener))
        case Summary():
            return track_pb2.ExplainTrackResponse(summary=_summary(event, asked, listener, seconds))


def _moments(message: track_pb2.TrackMoments, naming: Naming) -> Moments:
    name = message.where_label_name or _LABEL_NAMES.get(message.where_label, "")
    if name and name not in naming.labels:
        field = "where_label_name" if message.where_label_name else "where_label"
        known = f"here moments are called {', '.join(naming.labels)}"
        raise InvalidRequest.at(f"settings.moments.{field}", f"is {shown(name)}; {known}")
    return Moments(
        every_s=message.every_s,
        where_label=name,
        where_it_changes=message.where_it_changes,
        most_certain=message.most_certain,
        least_certain=message.least_certain,
        at_s=tuple(message.at_s),
    )


def _outside_db(settings: track_pb2.TrackSettings) -> float | None:
    if not settings.listen:
        return None
    return settings.outside_db if settings.HasField("outside_db") else DEFAULT_OUTSIDE_DB


def _begun(
    begun: Begun, asked: TrackQuestion, listener: Listener, reference: bundle_reference_pb2.BundleReference
) -> track_pb2.TrackBegun:
    front_end, chosen = listener.front_end, begun.decision
    return track_pb2.TrackBegun(
        bundle=reference,
        frames_per_second=listener.predictions_per_second,
        band_centre_hz=front_end.band_centre_hz,
        excerpt_frames=front_end.excerpt_frames,
        threshold=begun.naming.threshold or 0.0,
        rule=begun.rule.name,
        trust=_LEVEL_MESSAGES[asked.trust],
        masking=masking_message(asked.masking),
        decision=decision_pb2.Decision(
            median_filter_s=chosen.median_filter_s, threshold=chosen.threshold, minimum_s=chosen.minimum_s
        ),
        duration_s=begun.duration_s or 0.0,
        outside_db=asked.outside_db,
        listener=listener.name,
        label=asked.label,
        contrast=asked.contrast,
        labels=begun.naming.labels,
        map_frames_per_second=front_end.frames_per_second,
    )


def _curve(curve: Curve, asked: TrackQuestion, listener: Listener) -> track_pb2.CurvePiece:
    decision, said = listener.decision, curve.probability
    shown_curve = said
    if decision.kind != "binary":
        shown_curve = said[:, decision.labels.index(asked.label)] if asked.label else said.max(axis=1)
    return track_pb2.CurvePiece(
        first_frame=curve.first_frame,
        probability=shown_curve,
        log_mel=None if curve.log_mel is None else time_frequency_map(curve.log_mel, half=asked.half_maps),
        labels=label_curves(decision, said),
    )


def _explanation(moment: Moment, asked: TrackQuestion, listener: Listener) -> track_pb2.TrackExplanation:
    front_end, decision = listener.front_end, listener.decision
    rate = front_end.frames_per_second
    return track_pb2.TrackExplanation(
        at_s=moment.frame / rate,
        start_s=(moment.frame - front_end.context_frames) / rate,
        region=region_message(moment.mask),
        alpha=moment.alpha,
        trust=_trust(moment, decision.labels[decision.predicted(moment.probability)]),
        log_mel=time_frequency_map(moment.log_mel, half=asked.half_maps) if asked.maps else None,
        relevance=time_frequency_map(moment.relevance, half=asked.half_maps) if asked.maps else None,
        original_audio=waveform(None if moment.audio is None else moment.samples, front_end.sample_rate_hz),
        explanation_audio=waveform(moment.audio, front_end.sample_rate_hz),
        label=moment.trust.claim.name,
        predicted_label=decision.labels[decision.predicted(moment.probability)],
        labels=label_messages(label_answers(decision, moment.probability)),
    )


def _trust(moment: Moment, predicted: str) -> track_pb2.TrackTrust:
    trust, was_tried = moment.trust, moment.level is not TrustLevel.NONE
    return track_pb2.TrackTrust(
        predicted_label=label(predicted),
        probability=trust.probability,
        relative_area=trust.relative_area,
        reconstruction_error=trust.reconstruction_error,
        reconstruction_percentile=trust.reconstruction_percentile,
        out_of_distribution=trust.out_of_distribution,
        doubt=None if trust.doubt is None else doubt_message(trust.doubt),
        control_seed=trust.control_seed,
        masked_probability=trust.masked_probability if was_tried else None,
        label_kept=trust.label_kept if was_tried else None,
        exchange=None if trust.exchange is None else exchange_message(trust.exchange),
        holds=moment.holds,
    )


def _summary(summary: Summary, asked: TrackQuestion, listener: Listener, seconds: float) -> track_pb2.TrackSummary:
    rate, labels = listener.front_end.frames_per_second, naming_of(listener, asked.label).labels
    order = listener.decision.labels.index
    return track_pb2.TrackSummary(
        complete=summary.complete,
        heard_until_s=summary.heard_until / rate,
        frames=summary.frames,
        segments=[segment_message(segment, labels, rate, trust) for segment, trust in summary.segments],
        relevance=[
            track_pb2.LabelMap(
                label=label(name),
                explained=count,
                mean_relevance=time_frequency_map(mean, half=asked.half_maps),
                label_name=name,
            )
            for name, (count, mean) in sorted(summary.relevance.items(), key=lambda each: order(each[0]))
        ],
        explained=summary.explained,
        tried=summary.tried,
        held=summary.held,
        share_held=summary.held / summary.tried if summary.tried else None,
        most_trustworthy=[_ranked(each, rate) for each in summary.most],
        least_trustworthy=[_ranked(each, rate) for each in summary.least],
        warnings=sound_warnings(summary.warnings),
        seconds=seconds,
    )


def _ranked(moment: Ranked, frames_per_second: float) -> track_pb2.RankedMoment:
    return track_pb2.RankedMoment(
        at_s=moment.frame / frames_per_second,
        label=label(moment.label),
        holds=moment.holds,
        doubt=moment.doubt,
        label_name=moment.label,
    )
