"""`ExplainTrack` between the contract's messages and results."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from phonoscope.v1 import track_pb2

from phonoscope_client.errors import ServiceError
from phonoscope_client.messages.curve import segment
from phonoscope_client.messages.explanation import MASKING_NAMES, doubt, region, share
from phonoscope_client.messages.listener import DETECTOR, label_answers, label_of
from phonoscope_client.messages.wire import (
    LABELS,
    bundle_reference,
    decimal,
    sound_warnings,
    time_frequency_map,
    waveform,
)
from phonoscope_client.results.parts import Label
from phonoscope_client.results.track import (
    CurvePiece,
    LabelMap,
    RankedMoment,
    TrackBegun,
    TrackExplanation,
    TrackProgress,
    TrackSummary,
    TrackTrust,
    TrackTrustLevel,
)
from phonoscope_client.results.track.track import TrackPart

LEVELS: dict[TrackTrustLevel, track_pb2.TrustLevel] = {
    "none": track_pb2.TRUST_LEVEL_NONE,
    "kept": track_pb2.TRUST_LEVEL_KEPT,
    "full": track_pb2.TRUST_LEVEL_FULL,
}
_LEVEL_NAMES = {number: name for name, number in LEVELS.items()}
OnProgress = Callable[[TrackProgress], None]


class TrackReading:
    """The answer about one track as it is read; progress is reported as it comes.

    Args:
        on_progress: told how far it is.
    """

    def __init__(self, on_progress: OnProgress | None) -> None:
        self._on_progress = on_progress
        self._begun: TrackBegun | None = None
        self._heard_s, self._explained = 0.0, 0

    def part(self, message: track_pb2.ExplainTrackResponse) -> TrackPart | None:
        """What the next message holds; None where this client does not know it.

        Raises:
            ServiceError: it breaks the contract.
        """
        part: TrackPart
        match message.WhichOneof("event"):
            case "begun":
                part = self._begun = _begun(message.begun)
            case "curve":
                part = _curve_piece(message.curve)
                rate = self._begun.frames_per_second if self._begun else 1.0
                self._tell((part.first_frame + len(part.probability)) / rate, 0)
            case "explanation":
                part = _explanation(message.explanation)
                self._tell(self._heard_s, 1)
            case "summary":
                part = _summary(message.summary)
            case _:
                return None
        return part

    def _tell(self, heard_s: float, explained: int) -> None:
        self._heard_s, self._explained = heard_s, self._explained + explained
        if self._on_progress is not None:
            duration_s = self._begun.duration_s if self._begun else None
            self._on_progress(TrackProgress(self._heard_s, duration_s, self._explained))


def _begun(message: track_pb2.TrackBegun) -> TrackBegun:
    if message.trust not in _LEVEL_NAMES or message.masking not in MASKING_NAMES:
        raise ServiceError("the service began a track without a trust level or masking this client knows")
    return TrackBegun(
        bundle=bundle_reference(message.bundle),
        frames_per_second=message.frames_per_second,
        band_centre_hz=np.array(message.band_centre_hz, np.float32),
        excerpt_frames=message.excerpt_frames,
        threshold=decimal(message.threshold),
        decision_threshold=decimal(message.decision.threshold),
        rule=message.rule,
        trust_level=_LEVEL_NAMES[message.trust],
        masking=MASKING_NAMES[message.masking],
        duration_s=message.duration_s or None,
        median_filter_s=message.decision.median_filter_s,
        minimum_s=message.decision.minimum_s,
        outside_db=decimal(message.outside_db) if message.HasField("outside_db") else None,
        listener=message.listener or DETECTOR,
        label=message.label or None,
        contrast=message.contrast or None,
        labels=tuple(message.labels) or tuple(LABELS.values()),
        map_frames_per_second=message.map_frames_per_second,
    )


def _curve_piece(message: track_pb2.CurvePiece) -> CurvePiece:
    return CurvePiece(
        first_frame=message.first_frame,
        probability=np.array(message.probability, np.float32),
        log_mel=time_frequency_map(message.log_mel) if message.HasField("log_mel") else None,
        labels=np.array([each.label for each in message.labels], np.str_),
        label_probability=np.array([each.probability for each in message.labels], np.float32).T,
    )


def _explanation(message: track_pb2.TrackExplanation) -> TrackExplanation:
    return TrackExplanation(
        at_s=message.at_s,
        label=message.label or _label(message.trust),
        probability=decimal(message.trust.probability),
        start_s=message.start_s,
        mask=region(message.region),
        alpha=decimal(message.alpha),
        trust=_trust(message.trust),
        log_mel=time_frequency_map(message.log_mel) if message.HasField("log_mel") else None,
        relevance=time_frequency_map(message.relevance) if message.HasField("relevance") else None,
        original_audio=waveform(message, "original_audio"),
        explanation_audio=waveform(message, "explanation_audio"),
        predicted=message.predicted_label or _label(message.trust),
        labels=label_answers(message.labels),
    )


def _label(trust: track_pb2.TrackTrust) -> Label:
    """The one label of an answer of services of before."""
    if trust.predicted_label not in LABELS:
        raise ServiceError("the service answered without a label this client knows")
    return LABELS[trust.predicted_label]


def _trust(message: track_pb2.TrackTrust) -> TrackTrust:
    exchange, was_exchanged = message.exchange, message.HasField("exchange")
    over = exchange.carried_over_silhouette if exchange.HasField("carried_over_silhouette") else None
    return TrackTrust(
        relative_area=decimal(message.relative_area),
        reconstruction_error=decimal(message.reconstruction_error),
        reconstruction_percentile=decimal(message.reconstruction_percentile),
        out_of_distribution=message.out_of_distribution,
        control_seed=message.control_seed,
        doubt=doubt(message.doubt) if message.HasField("doubt") else None,
        masked_probability=decimal(message.masked_probability) if message.HasField("masked_probability") else None,
        label_kept=message.label_kept if message.HasField("label_kept") else None,
        carried=share(exchange.carried) if was_exchanged else None,
        silhouette=share(exchange.silhouette) if was_exchanged else None,
        removed=share(exchange.removed) if was_exchanged else None,
        carried_over_silhouette=None if over is None else decimal(over),
        holds=message.holds if message.HasField("holds") else None,
    )


def _summary(message: track_pb2.TrackSummary) -> TrackSummary:
    return TrackSummary(
        complete=message.complete,
        heard_until_s=message.heard_until_s,
        frames=message.frames,
        segments=tuple(map(segment, message.segments)),
        relevance=tuple(
            LabelMap(label_of(each), each.explained, time_frequency_map(each.mean_relevance))
            for each in message.relevance
        ),
        explained=message.explained,
        tried=message.tried,
        held=message.held,
        share_held=decimal(message.share_held) if message.HasField("share_held") else None,
        most_trustworthy=tuple(map(_ranked, message.most_trustworthy)),
        least_trustworthy=tuple(map(_ranked, message.least_trustworthy)),
        warnings=sound_warnings(message.warnings),
        seconds=message.seconds,
    )


def _ranked(message: track_pb2.RankedMoment) -> RankedMoment:
    return RankedMoment(
        at_s=message.at_s,
        label=label_of(message),
        holds=message.holds if message.HasField("holds") else None,
        doubt=decimal(message.doubt) if message.HasField("doubt") else None,
    )
