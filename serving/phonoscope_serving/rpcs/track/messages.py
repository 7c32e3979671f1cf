"""`ExplainTrack` between the contract's messages and domain terms."""

from __future__ import annotations

from phonoscope.v1 import bundle_reference_pb2, decision_pb2, explanation_pb2, track_pb2

from phonoscope_serving.bundle.listeners.listener import Listener
from phonoscope_serving.errors import NotInBundle, shown
from phonoscope_serving.rpcs.decision import Decision
from phonoscope_serving.rpcs.explain.answer import DEFAULT_OUTSIDE_DB
from phonoscope_serving.rpcs.explain.messages import (
    doubt_message,
    exchange_message,
    masking,
    masking_message,
    region_choice,
    region_message,
)
from phonoscope_serving.rpcs.segments import label, segment_message
from phonoscope_serving.rpcs.track.answer import Begun, Curve, Event
from phonoscope_serving.rpcs.track.explaining import Moment
from phonoscope_serving.rpcs.track.question import Encoded, Moments, Pcm, TrackQuestion, TrustLevel
from phonoscope_serving.rpcs.track.summary import Ranked, Summary
from phonoscope_serving.rpcs.wire import sound_warnings, time_frequency_map, waveform

_LEVELS = {
    track_pb2.TRUST_LEVEL_UNSPECIFIED: TrustLevel.KEPT,
    track_pb2.TRUST_LEVEL_NONE: TrustLevel.NONE,
    track_pb2.TRUST_LEVEL_KEPT: TrustLevel.KEPT,
    track_pb2.TRUST_LEVEL_FULL: TrustLevel.FULL,
}
_LEVEL_MESSAGES = {level: number for number, level in _LEVELS.items()}  # the last of each, which is its own
_VOCAL = {explanation_pb2.LABEL_VOCAL: True, explanation_pb2.LABEL_INSTRUMENTAL: False}


def question(settings: track_pb2.TrackSettings, listener: Listener) -> TrackQuestion:
    """What validated settings ask of a listener.

    Raises:
        NotInBundle: the listener does not hear tracks whole, or a label or contrast is asked for.
    """
    if listener.decision.kind != "binary" or listener.predict_hop_frames is not None:
        raise NotInBundle(f"listener: {listener.name} does not hear tracks whole")
    for name in ("label", "contrast"):
        if given := getattr(settings, name):
            raise NotInBundle(f"{name}: is {shown(given)}; along a track the label that is predicted is explained")
    is_pcm = settings.WhichOneof("sound") == "pcm"
    return TrackQuestion(
        sound=Pcm(settings.pcm.sample_rate_hz, settings.pcm.channels or 1)
        if is_pcm
        else Encoded(settings.encoded.size_bytes),
        moments=_moments(settings.moments),
        region=region_choice(settings.region),
        masking=masking(settings.masking),
        trust=_LEVELS[settings.trust],
        rule=settings.rule,
        control_seed=settings.control_seed if settings.HasField("control_seed") else None,
        decision=decision(settings.decision, listener),
        from_s=settings.from_s,
        spectrogram=settings.spectrogram,
        maps=settings.maps,
        outside_db=_outside_db(settings),
    )


def decision(message: decision_pb2.Decision, listener: Listener) -> Decision:
    """How a curve is decided upon; by the listener's threshold where none is given."""
    threshold = message.threshold if message.HasField("threshold") else listener.decision.thresholds[0]
    return Decision(threshold, message.median_filter_s, message.minimum_s)


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
            piece = track_pb2.CurvePiece(
                first_frame=event.first_frame,
                probability=event.probability,
                log_mel=None if event.log_mel is None else time_frequency_map(event.log_mel),
            )
            return track_pb2.ExplainTrackResponse(curve=piece)
        case Moment():
            return track_pb2.ExplainTrackResponse(explanation=_explanation(event, asked, listener))
        case Summary():
            return track_pb2.ExplainTrackResponse(summary=_summary(event, listener, seconds))


def _moments(message: track_pb2.TrackMoments) -> Moments:
    return Moments(
        every_s=message.every_s,
        where_vocal=_VOCAL.get(message.where_label),
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
        frames_per_second=front_end.frames_per_second,
        band_centre_hz=front_end.band_centre_hz,
        excerpt_frames=front_end.excerpt_frames,
        threshold=listener.decision.thresholds[0],
        rule=begun.rule.name,
        trust=_LEVEL_MESSAGES[asked.trust],
        masking=masking_message(asked.masking),
        decision=decision_pb2.Decision(
            median_filter_s=chosen.median_filter_s, threshold=chosen.threshold, minimum_s=chosen.minimum_s
        ),
        duration_s=begun.duration_s or 0.0,
        outside_db=asked.outside_db,
    )


def _explanation(moment: Moment, asked: TrackQuestion, listener: Listener) -> track_pb2.TrackExplanation:
    front_end = listener.front_end
    rate = front_end.frames_per_second
    return track_pb2.TrackExplanation(
        at_s=moment.frame / rate,
        start_s=(moment.frame - front_end.context_frames) / rate,
        region=region_message(moment.mask),
        alpha=moment.alpha,
        trust=_trust(moment),
        log_mel=time_frequency_map(moment.log_mel) if asked.maps else None,
        relevance=time_frequency_map(moment.relevance) if asked.maps else None,
        original_audio=waveform(None if moment.audio is None else moment.samples, front_end.sample_rate_hz),
        explanation_audio=waveform(moment.audio, front_end.sample_rate_hz),
    )


def _trust(moment: Moment) -> track_pb2.TrackTrust:
    trust, was_tried = moment.trust, moment.level is not TrustLevel.NONE
    return track_pb2.TrackTrust(
        predicted_label=label(trust.claim.label == 0),
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


def _summary(summary: Summary, listener: Listener, seconds: float) -> track_pb2.TrackSummary:
    rate = listener.front_end.frames_per_second
    return track_pb2.TrackSummary(
        complete=summary.complete,
        heard_until_s=summary.heard_until / rate,
        frames=summary.frames,
        segments=[segment_message(segment, rate, trust) for segment, trust in summary.segments],
        relevance=[
            track_pb2.LabelMap(label=label(vocal), explained=count, mean_relevance=time_frequency_map(mean))
            for vocal, (count, mean) in sorted(summary.relevance.items(), reverse=True)
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
        at_s=moment.frame / frames_per_second, label=label(moment.vocal), holds=moment.holds, doubt=moment.doubt
    )
