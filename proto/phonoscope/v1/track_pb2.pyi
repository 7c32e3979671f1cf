from phonoscope.v1 import audio_pb2 as _audio_pb2
from phonoscope.v1 import bundle_reference_pb2 as _bundle_reference_pb2
from phonoscope.v1 import decision_pb2 as _decision_pb2
from phonoscope.v1 import explanation_pb2 as _explanation_pb2
from phonoscope.v1 import label_pb2 as _label_pb2
from phonoscope.v1 import prediction_pb2 as _prediction_pb2
from phonoscope.v1 import time_frequency_pb2 as _time_frequency_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TrustLevel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRUST_LEVEL_UNSPECIFIED: _ClassVar[TrustLevel]
    TRUST_LEVEL_NONE: _ClassVar[TrustLevel]
    TRUST_LEVEL_KEPT: _ClassVar[TrustLevel]
    TRUST_LEVEL_FULL: _ClassVar[TrustLevel]
TRUST_LEVEL_UNSPECIFIED: TrustLevel
TRUST_LEVEL_NONE: TrustLevel
TRUST_LEVEL_KEPT: TrustLevel
TRUST_LEVEL_FULL: TrustLevel

class ExplainTrackRequest(_message.Message):
    __slots__ = ("settings", "chunk")
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    settings: TrackSettings
    chunk: bytes
    def __init__(self, settings: _Optional[_Union[TrackSettings, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class TrackSettings(_message.Message):
    __slots__ = ("encoded", "pcm", "moments", "region", "masking", "rule", "trust", "control_seed", "decision", "from_s", "spectrogram", "maps", "listen", "outside_db", "listener", "label", "contrast", "map_precision")
    ENCODED_FIELD_NUMBER: _ClassVar[int]
    PCM_FIELD_NUMBER: _ClassVar[int]
    MOMENTS_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    MASKING_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    TRUST_FIELD_NUMBER: _ClassVar[int]
    CONTROL_SEED_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    FROM_S_FIELD_NUMBER: _ClassVar[int]
    SPECTROGRAM_FIELD_NUMBER: _ClassVar[int]
    MAPS_FIELD_NUMBER: _ClassVar[int]
    LISTEN_FIELD_NUMBER: _ClassVar[int]
    OUTSIDE_DB_FIELD_NUMBER: _ClassVar[int]
    LISTENER_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    CONTRAST_FIELD_NUMBER: _ClassVar[int]
    MAP_PRECISION_FIELD_NUMBER: _ClassVar[int]
    encoded: EncodedStream
    pcm: PcmStream
    moments: TrackMoments
    region: _explanation_pb2.RegionChoice
    masking: _explanation_pb2.Masking
    rule: str
    trust: TrustLevel
    control_seed: int
    decision: _decision_pb2.Decision
    from_s: float
    spectrogram: bool
    maps: bool
    listen: bool
    outside_db: float
    listener: str
    label: str
    contrast: str
    map_precision: _time_frequency_pb2.MapPrecision
    def __init__(self, encoded: _Optional[_Union[EncodedStream, _Mapping]] = ..., pcm: _Optional[_Union[PcmStream, _Mapping]] = ..., moments: _Optional[_Union[TrackMoments, _Mapping]] = ..., region: _Optional[_Union[_explanation_pb2.RegionChoice, _Mapping]] = ..., masking: _Optional[_Union[_explanation_pb2.Masking, str]] = ..., rule: _Optional[str] = ..., trust: _Optional[_Union[TrustLevel, str]] = ..., control_seed: _Optional[int] = ..., decision: _Optional[_Union[_decision_pb2.Decision, _Mapping]] = ..., from_s: _Optional[float] = ..., spectrogram: _Optional[bool] = ..., maps: _Optional[bool] = ..., listen: _Optional[bool] = ..., outside_db: _Optional[float] = ..., listener: _Optional[str] = ..., label: _Optional[str] = ..., contrast: _Optional[str] = ..., map_precision: _Optional[_Union[_time_frequency_pb2.MapPrecision, str]] = ...) -> None: ...

class EncodedStream(_message.Message):
    __slots__ = ("size_bytes",)
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    size_bytes: int
    def __init__(self, size_bytes: _Optional[int] = ...) -> None: ...

class PcmStream(_message.Message):
    __slots__ = ("sample_rate_hz", "channels")
    SAMPLE_RATE_HZ_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    sample_rate_hz: int
    channels: int
    def __init__(self, sample_rate_hz: _Optional[int] = ..., channels: _Optional[int] = ...) -> None: ...

class TrackMoments(_message.Message):
    __slots__ = ("every_s", "where_label", "where_it_changes", "most_certain", "least_certain", "at_s", "where_label_name")
    EVERY_S_FIELD_NUMBER: _ClassVar[int]
    WHERE_LABEL_FIELD_NUMBER: _ClassVar[int]
    WHERE_IT_CHANGES_FIELD_NUMBER: _ClassVar[int]
    MOST_CERTAIN_FIELD_NUMBER: _ClassVar[int]
    LEAST_CERTAIN_FIELD_NUMBER: _ClassVar[int]
    AT_S_FIELD_NUMBER: _ClassVar[int]
    WHERE_LABEL_NAME_FIELD_NUMBER: _ClassVar[int]
    every_s: float
    where_label: _explanation_pb2.Label
    where_it_changes: bool
    most_certain: int
    least_certain: int
    at_s: _containers.RepeatedScalarFieldContainer[float]
    where_label_name: str
    def __init__(self, every_s: _Optional[float] = ..., where_label: _Optional[_Union[_explanation_pb2.Label, str]] = ..., where_it_changes: _Optional[bool] = ..., most_certain: _Optional[int] = ..., least_certain: _Optional[int] = ..., at_s: _Optional[_Iterable[float]] = ..., where_label_name: _Optional[str] = ...) -> None: ...

class ExplainTrackResponse(_message.Message):
    __slots__ = ("begun", "curve", "explanation", "summary")
    BEGUN_FIELD_NUMBER: _ClassVar[int]
    CURVE_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    begun: TrackBegun
    curve: CurvePiece
    explanation: TrackExplanation
    summary: TrackSummary
    def __init__(self, begun: _Optional[_Union[TrackBegun, _Mapping]] = ..., curve: _Optional[_Union[CurvePiece, _Mapping]] = ..., explanation: _Optional[_Union[TrackExplanation, _Mapping]] = ..., summary: _Optional[_Union[TrackSummary, _Mapping]] = ...) -> None: ...

class TrackBegun(_message.Message):
    __slots__ = ("bundle", "frames_per_second", "band_centre_hz", "excerpt_frames", "threshold", "rule", "trust", "masking", "decision", "duration_s", "outside_db", "listener", "label", "contrast", "labels", "map_frames_per_second")
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    FRAMES_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    BAND_CENTRE_HZ_FIELD_NUMBER: _ClassVar[int]
    EXCERPT_FRAMES_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    TRUST_FIELD_NUMBER: _ClassVar[int]
    MASKING_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    DURATION_S_FIELD_NUMBER: _ClassVar[int]
    OUTSIDE_DB_FIELD_NUMBER: _ClassVar[int]
    LISTENER_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    CONTRAST_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    MAP_FRAMES_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    bundle: _bundle_reference_pb2.BundleReference
    frames_per_second: float
    band_centre_hz: _containers.RepeatedScalarFieldContainer[float]
    excerpt_frames: int
    threshold: float
    rule: str
    trust: TrustLevel
    masking: _explanation_pb2.Masking
    decision: _decision_pb2.Decision
    duration_s: float
    outside_db: float
    listener: str
    label: str
    contrast: str
    labels: _containers.RepeatedScalarFieldContainer[str]
    map_frames_per_second: float
    def __init__(self, bundle: _Optional[_Union[_bundle_reference_pb2.BundleReference, _Mapping]] = ..., frames_per_second: _Optional[float] = ..., band_centre_hz: _Optional[_Iterable[float]] = ..., excerpt_frames: _Optional[int] = ..., threshold: _Optional[float] = ..., rule: _Optional[str] = ..., trust: _Optional[_Union[TrustLevel, str]] = ..., masking: _Optional[_Union[_explanation_pb2.Masking, str]] = ..., decision: _Optional[_Union[_decision_pb2.Decision, _Mapping]] = ..., duration_s: _Optional[float] = ..., outside_db: _Optional[float] = ..., listener: _Optional[str] = ..., label: _Optional[str] = ..., contrast: _Optional[str] = ..., labels: _Optional[_Iterable[str]] = ..., map_frames_per_second: _Optional[float] = ...) -> None: ...

class CurvePiece(_message.Message):
    __slots__ = ("first_frame", "probability", "log_mel", "labels")
    FIRST_FRAME_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    LOG_MEL_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    first_frame: int
    probability: _containers.RepeatedScalarFieldContainer[float]
    log_mel: _time_frequency_pb2.TimeFrequencyMap
    labels: _containers.RepeatedCompositeFieldContainer[_prediction_pb2.LabelCurve]
    def __init__(self, first_frame: _Optional[int] = ..., probability: _Optional[_Iterable[float]] = ..., log_mel: _Optional[_Union[_time_frequency_pb2.TimeFrequencyMap, _Mapping]] = ..., labels: _Optional[_Iterable[_Union[_prediction_pb2.LabelCurve, _Mapping]]] = ...) -> None: ...

class TrackExplanation(_message.Message):
    __slots__ = ("at_s", "start_s", "region", "alpha", "trust", "log_mel", "relevance", "original_audio", "explanation_audio", "label", "predicted_label", "labels")
    AT_S_FIELD_NUMBER: _ClassVar[int]
    START_S_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    TRUST_FIELD_NUMBER: _ClassVar[int]
    LOG_MEL_FIELD_NUMBER: _ClassVar[int]
    RELEVANCE_FIELD_NUMBER: _ClassVar[int]
    ORIGINAL_AUDIO_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_AUDIO_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    PREDICTED_LABEL_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    at_s: float
    start_s: float
    region: _explanation_pb2.Region
    alpha: float
    trust: TrackTrust
    log_mel: _time_frequency_pb2.TimeFrequencyMap
    relevance: _time_frequency_pb2.TimeFrequencyMap
    original_audio: _audio_pb2.Waveform
    explanation_audio: _audio_pb2.Waveform
    label: str
    predicted_label: str
    labels: _containers.RepeatedCompositeFieldContainer[_label_pb2.LabelProbability]
    def __init__(self, at_s: _Optional[float] = ..., start_s: _Optional[float] = ..., region: _Optional[_Union[_explanation_pb2.Region, _Mapping]] = ..., alpha: _Optional[float] = ..., trust: _Optional[_Union[TrackTrust, _Mapping]] = ..., log_mel: _Optional[_Union[_time_frequency_pb2.TimeFrequencyMap, _Mapping]] = ..., relevance: _Optional[_Union[_time_frequency_pb2.TimeFrequencyMap, _Mapping]] = ..., original_audio: _Optional[_Union[_audio_pb2.Waveform, _Mapping]] = ..., explanation_audio: _Optional[_Union[_audio_pb2.Waveform, _Mapping]] = ..., label: _Optional[str] = ..., predicted_label: _Optional[str] = ..., labels: _Optional[_Iterable[_Union[_label_pb2.LabelProbability, _Mapping]]] = ...) -> None: ...

class TrackTrust(_message.Message):
    __slots__ = ("predicted_label", "probability", "relative_area", "reconstruction_error", "reconstruction_percentile", "out_of_distribution", "doubt", "control_seed", "masked_probability", "label_kept", "exchange", "holds")
    PREDICTED_LABEL_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    RELATIVE_AREA_FIELD_NUMBER: _ClassVar[int]
    RECONSTRUCTION_ERROR_FIELD_NUMBER: _ClassVar[int]
    RECONSTRUCTION_PERCENTILE_FIELD_NUMBER: _ClassVar[int]
    OUT_OF_DISTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    DOUBT_FIELD_NUMBER: _ClassVar[int]
    CONTROL_SEED_FIELD_NUMBER: _ClassVar[int]
    MASKED_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    LABEL_KEPT_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    HOLDS_FIELD_NUMBER: _ClassVar[int]
    predicted_label: _explanation_pb2.Label
    probability: float
    relative_area: float
    reconstruction_error: float
    reconstruction_percentile: float
    out_of_distribution: bool
    doubt: _explanation_pb2.Doubt
    control_seed: int
    masked_probability: float
    label_kept: bool
    exchange: _explanation_pb2.Exchange
    holds: bool
    def __init__(self, predicted_label: _Optional[_Union[_explanation_pb2.Label, str]] = ..., probability: _Optional[float] = ..., relative_area: _Optional[float] = ..., reconstruction_error: _Optional[float] = ..., reconstruction_percentile: _Optional[float] = ..., out_of_distribution: _Optional[bool] = ..., doubt: _Optional[_Union[_explanation_pb2.Doubt, _Mapping]] = ..., control_seed: _Optional[int] = ..., masked_probability: _Optional[float] = ..., label_kept: _Optional[bool] = ..., exchange: _Optional[_Union[_explanation_pb2.Exchange, _Mapping]] = ..., holds: _Optional[bool] = ...) -> None: ...

class TrackSummary(_message.Message):
    __slots__ = ("complete", "heard_until_s", "frames", "segments", "relevance", "explained", "tried", "held", "share_held", "most_trustworthy", "least_trustworthy", "warnings", "seconds")
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    HEARD_UNTIL_S_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    RELEVANCE_FIELD_NUMBER: _ClassVar[int]
    EXPLAINED_FIELD_NUMBER: _ClassVar[int]
    TRIED_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    SHARE_HELD_FIELD_NUMBER: _ClassVar[int]
    MOST_TRUSTWORTHY_FIELD_NUMBER: _ClassVar[int]
    LEAST_TRUSTWORTHY_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    complete: bool
    heard_until_s: float
    frames: int
    segments: _containers.RepeatedCompositeFieldContainer[_decision_pb2.Segment]
    relevance: _containers.RepeatedCompositeFieldContainer[LabelMap]
    explained: int
    tried: int
    held: int
    share_held: float
    most_trustworthy: _containers.RepeatedCompositeFieldContainer[RankedMoment]
    least_trustworthy: _containers.RepeatedCompositeFieldContainer[RankedMoment]
    warnings: _containers.RepeatedCompositeFieldContainer[_audio_pb2.SoundWarning]
    seconds: float
    def __init__(self, complete: _Optional[bool] = ..., heard_until_s: _Optional[float] = ..., frames: _Optional[int] = ..., segments: _Optional[_Iterable[_Union[_decision_pb2.Segment, _Mapping]]] = ..., relevance: _Optional[_Iterable[_Union[LabelMap, _Mapping]]] = ..., explained: _Optional[int] = ..., tried: _Optional[int] = ..., held: _Optional[int] = ..., share_held: _Optional[float] = ..., most_trustworthy: _Optional[_Iterable[_Union[RankedMoment, _Mapping]]] = ..., least_trustworthy: _Optional[_Iterable[_Union[RankedMoment, _Mapping]]] = ..., warnings: _Optional[_Iterable[_Union[_audio_pb2.SoundWarning, _Mapping]]] = ..., seconds: _Optional[float] = ...) -> None: ...

class LabelMap(_message.Message):
    __slots__ = ("label", "explained", "mean_relevance", "label_name")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    EXPLAINED_FIELD_NUMBER: _ClassVar[int]
    MEAN_RELEVANCE_FIELD_NUMBER: _ClassVar[int]
    LABEL_NAME_FIELD_NUMBER: _ClassVar[int]
    label: _explanation_pb2.Label
    explained: int
    mean_relevance: _time_frequency_pb2.TimeFrequencyMap
    label_name: str
    def __init__(self, label: _Optional[_Union[_explanation_pb2.Label, str]] = ..., explained: _Optional[int] = ..., mean_relevance: _Optional[_Union[_time_frequency_pb2.TimeFrequencyMap, _Mapping]] = ..., label_name: _Optional[str] = ...) -> None: ...

class RankedMoment(_message.Message):
    __slots__ = ("at_s", "label", "holds", "doubt", "label_name")
    AT_S_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    HOLDS_FIELD_NUMBER: _ClassVar[int]
    DOUBT_FIELD_NUMBER: _ClassVar[int]
    LABEL_NAME_FIELD_NUMBER: _ClassVar[int]
    at_s: float
    label: _explanation_pb2.Label
    holds: bool
    doubt: float
    label_name: str
    def __init__(self, at_s: _Optional[float] = ..., label: _Optional[_Union[_explanation_pb2.Label, str]] = ..., holds: _Optional[bool] = ..., doubt: _Optional[float] = ..., label_name: _Optional[str] = ...) -> None: ...
