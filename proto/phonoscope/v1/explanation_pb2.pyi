from phonoscope.v1 import audio_pb2 as _audio_pb2
from phonoscope.v1 import bundle_reference_pb2 as _bundle_reference_pb2
from phonoscope.v1 import label_pb2 as _label_pb2
from phonoscope.v1 import time_frequency_pb2 as _time_frequency_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Evidence(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVIDENCE_UNSPECIFIED: _ClassVar[Evidence]
    EVIDENCE_FULL: _ClassVar[Evidence]
    EVIDENCE_KEPT: _ClassVar[Evidence]
    EVIDENCE_MEAN_FILL: _ClassVar[Evidence]

class Masking(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MASKING_UNSPECIFIED: _ClassVar[Masking]
    MASKING_M1: _ClassVar[Masking]
    MASKING_M2: _ClassVar[Masking]

class Label(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LABEL_UNSPECIFIED: _ClassVar[Label]
    LABEL_VOCAL: _ClassVar[Label]
    LABEL_INSTRUMENTAL: _ClassVar[Label]
EVIDENCE_UNSPECIFIED: Evidence
EVIDENCE_FULL: Evidence
EVIDENCE_KEPT: Evidence
EVIDENCE_MEAN_FILL: Evidence
MASKING_UNSPECIFIED: Masking
MASKING_M1: Masking
MASKING_M2: Masking
LABEL_UNSPECIFIED: Label
LABEL_VOCAL: Label
LABEL_INSTRUMENTAL: Label

class ExplainRequest(_message.Message):
    __slots__ = ("audio", "at_s", "region", "masking", "listen", "rule", "outside_db", "detailed", "control_seed", "evidence", "listener", "label", "contrast", "nearest", "map_precision")
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    AT_S_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    MASKING_FIELD_NUMBER: _ClassVar[int]
    LISTEN_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    OUTSIDE_DB_FIELD_NUMBER: _ClassVar[int]
    DETAILED_FIELD_NUMBER: _ClassVar[int]
    CONTROL_SEED_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    LISTENER_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    CONTRAST_FIELD_NUMBER: _ClassVar[int]
    NEAREST_FIELD_NUMBER: _ClassVar[int]
    MAP_PRECISION_FIELD_NUMBER: _ClassVar[int]
    audio: _audio_pb2.Audio
    at_s: float
    region: RegionChoice
    masking: Masking
    listen: bool
    rule: str
    outside_db: float
    detailed: bool
    control_seed: int
    evidence: Evidence
    listener: str
    label: str
    contrast: str
    nearest: int
    map_precision: _time_frequency_pb2.MapPrecision
    def __init__(self, audio: _Optional[_Union[_audio_pb2.Audio, _Mapping]] = ..., at_s: _Optional[float] = ..., region: _Optional[_Union[RegionChoice, _Mapping]] = ..., masking: _Optional[_Union[Masking, str]] = ..., listen: _Optional[bool] = ..., rule: _Optional[str] = ..., outside_db: _Optional[float] = ..., detailed: _Optional[bool] = ..., control_seed: _Optional[int] = ..., evidence: _Optional[_Union[Evidence, str]] = ..., listener: _Optional[str] = ..., label: _Optional[str] = ..., contrast: _Optional[str] = ..., nearest: _Optional[int] = ..., map_precision: _Optional[_Union[_time_frequency_pb2.MapPrecision, str]] = ...) -> None: ...

class ExplainResponse(_message.Message):
    __slots__ = ("bundle", "at_s", "axes", "log_mel", "relevance", "region", "explanation", "alpha", "masking", "threshold", "trust", "original_audio", "explanation_audio", "rule", "outside_db", "inverted", "warnings", "carried_audio", "silhouette_audio", "listener", "label", "contrast", "labels", "predicted_label", "nearest")
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    AT_S_FIELD_NUMBER: _ClassVar[int]
    AXES_FIELD_NUMBER: _ClassVar[int]
    LOG_MEL_FIELD_NUMBER: _ClassVar[int]
    RELEVANCE_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    MASKING_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    TRUST_FIELD_NUMBER: _ClassVar[int]
    ORIGINAL_AUDIO_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_AUDIO_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    OUTSIDE_DB_FIELD_NUMBER: _ClassVar[int]
    INVERTED_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    CARRIED_AUDIO_FIELD_NUMBER: _ClassVar[int]
    SILHOUETTE_AUDIO_FIELD_NUMBER: _ClassVar[int]
    LISTENER_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    CONTRAST_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    PREDICTED_LABEL_FIELD_NUMBER: _ClassVar[int]
    NEAREST_FIELD_NUMBER: _ClassVar[int]
    bundle: _bundle_reference_pb2.BundleReference
    at_s: float
    axes: _time_frequency_pb2.TimeFrequencyAxes
    log_mel: _time_frequency_pb2.TimeFrequencyMap
    relevance: _time_frequency_pb2.TimeFrequencyMap
    region: Region
    explanation: _time_frequency_pb2.TimeFrequencyMap
    alpha: float
    masking: Masking
    threshold: float
    trust: Trust
    original_audio: _audio_pb2.Waveform
    explanation_audio: _audio_pb2.Waveform
    rule: str
    outside_db: float
    inverted: _time_frequency_pb2.TimeFrequencyMap
    warnings: _containers.RepeatedCompositeFieldContainer[_audio_pb2.SoundWarning]
    carried_audio: _audio_pb2.Waveform
    silhouette_audio: _audio_pb2.Waveform
    listener: str
    label: str
    contrast: str
    labels: _containers.RepeatedCompositeFieldContainer[_label_pb2.LabelProbability]
    predicted_label: str
    nearest: _containers.RepeatedCompositeFieldContainer[NearestExample]
    def __init__(self, bundle: _Optional[_Union[_bundle_reference_pb2.BundleReference, _Mapping]] = ..., at_s: _Optional[float] = ..., axes: _Optional[_Union[_time_frequency_pb2.TimeFrequencyAxes, _Mapping]] = ..., log_mel: _Optional[_Union[_time_frequency_pb2.TimeFrequencyMap, _Mapping]] = ..., relevance: _Optional[_Union[_time_frequency_pb2.TimeFrequencyMap, _Mapping]] = ..., region: _Optional[_Union[Region, _Mapping]] = ..., explanation: _Optional[_Union[_time_frequency_pb2.TimeFrequencyMap, _Mapping]] = ..., alpha: _Optional[float] = ..., masking: _Optional[_Union[Masking, str]] = ..., threshold: _Optional[float] = ..., trust: _Optional[_Union[Trust, _Mapping]] = ..., original_audio: _Optional[_Union[_audio_pb2.Waveform, _Mapping]] = ..., explanation_audio: _Optional[_Union[_audio_pb2.Waveform, _Mapping]] = ..., rule: _Optional[str] = ..., outside_db: _Optional[float] = ..., inverted: _Optional[_Union[_time_frequency_pb2.TimeFrequencyMap, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_audio_pb2.SoundWarning, _Mapping]]] = ..., carried_audio: _Optional[_Union[_audio_pb2.Waveform, _Mapping]] = ..., silhouette_audio: _Optional[_Union[_audio_pb2.Waveform, _Mapping]] = ..., listener: _Optional[str] = ..., label: _Optional[str] = ..., contrast: _Optional[str] = ..., labels: _Optional[_Iterable[_Union[_label_pb2.LabelProbability, _Mapping]]] = ..., predicted_label: _Optional[str] = ..., nearest: _Optional[_Iterable[_Union[NearestExample, _Mapping]]] = ...) -> None: ...

class NearestExample(_message.Message):
    __slots__ = ("song", "start_s", "label", "distance")
    SONG_FIELD_NUMBER: _ClassVar[int]
    START_S_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    DISTANCE_FIELD_NUMBER: _ClassVar[int]
    song: str
    start_s: float
    label: str
    distance: float
    def __init__(self, song: _Optional[str] = ..., start_s: _Optional[float] = ..., label: _Optional[str] = ..., distance: _Optional[float] = ...) -> None: ...

class Region(_message.Message):
    __slots__ = ("frames", "bands", "inside")
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    BANDS_FIELD_NUMBER: _ClassVar[int]
    INSIDE_FIELD_NUMBER: _ClassVar[int]
    frames: int
    bands: int
    inside: bytes
    def __init__(self, frames: _Optional[int] = ..., bands: _Optional[int] = ..., inside: _Optional[bytes] = ...) -> None: ...

class RegionChoice(_message.Message):
    __slots__ = ("alpha", "largest_alpha_that_keeps_label", "maximum_area")
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    LARGEST_ALPHA_THAT_KEEPS_LABEL_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_AREA_FIELD_NUMBER: _ClassVar[int]
    alpha: float
    largest_alpha_that_keeps_label: bool
    maximum_area: float
    def __init__(self, alpha: _Optional[float] = ..., largest_alpha_that_keeps_label: _Optional[bool] = ..., maximum_area: _Optional[float] = ...) -> None: ...

class Trust(_message.Message):
    __slots__ = ("predicted_label", "probability", "masked_probability", "label_kept", "removed_probability", "removal_flips_label", "relative_area", "control_probabilities", "controls_that_keep_label", "reconstruction_error", "reconstruction_percentile", "out_of_distribution", "heard_probability", "heard_label_kept", "control_seed", "heard_control_probabilities", "heard_control_label_kept", "evidence", "exchange", "doubt", "heard_controls_keep_label")
    PREDICTED_LABEL_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    MASKED_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    LABEL_KEPT_FIELD_NUMBER: _ClassVar[int]
    REMOVED_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    REMOVAL_FLIPS_LABEL_FIELD_NUMBER: _ClassVar[int]
    RELATIVE_AREA_FIELD_NUMBER: _ClassVar[int]
    CONTROL_PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    CONTROLS_THAT_KEEP_LABEL_FIELD_NUMBER: _ClassVar[int]
    RECONSTRUCTION_ERROR_FIELD_NUMBER: _ClassVar[int]
    RECONSTRUCTION_PERCENTILE_FIELD_NUMBER: _ClassVar[int]
    OUT_OF_DISTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    HEARD_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    HEARD_LABEL_KEPT_FIELD_NUMBER: _ClassVar[int]
    CONTROL_SEED_FIELD_NUMBER: _ClassVar[int]
    HEARD_CONTROL_PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    HEARD_CONTROL_LABEL_KEPT_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    DOUBT_FIELD_NUMBER: _ClassVar[int]
    HEARD_CONTROLS_KEEP_LABEL_FIELD_NUMBER: _ClassVar[int]
    predicted_label: Label
    probability: float
    masked_probability: float
    label_kept: bool
    removed_probability: float
    removal_flips_label: bool
    relative_area: float
    control_probabilities: _containers.RepeatedScalarFieldContainer[float]
    controls_that_keep_label: int
    reconstruction_error: float
    reconstruction_percentile: float
    out_of_distribution: bool
    heard_probability: float
    heard_label_kept: bool
    control_seed: int
    heard_control_probabilities: _containers.RepeatedScalarFieldContainer[float]
    heard_control_label_kept: bool
    evidence: Evidence
    exchange: Exchange
    doubt: Doubt
    heard_controls_keep_label: _containers.RepeatedScalarFieldContainer[bool]
    def __init__(self, predicted_label: _Optional[_Union[Label, str]] = ..., probability: _Optional[float] = ..., masked_probability: _Optional[float] = ..., label_kept: _Optional[bool] = ..., removed_probability: _Optional[float] = ..., removal_flips_label: _Optional[bool] = ..., relative_area: _Optional[float] = ..., control_probabilities: _Optional[_Iterable[float]] = ..., controls_that_keep_label: _Optional[int] = ..., reconstruction_error: _Optional[float] = ..., reconstruction_percentile: _Optional[float] = ..., out_of_distribution: _Optional[bool] = ..., heard_probability: _Optional[float] = ..., heard_label_kept: _Optional[bool] = ..., control_seed: _Optional[int] = ..., heard_control_probabilities: _Optional[_Iterable[float]] = ..., heard_control_label_kept: _Optional[bool] = ..., evidence: _Optional[_Union[Evidence, str]] = ..., exchange: _Optional[_Union[Exchange, _Mapping]] = ..., doubt: _Optional[_Union[Doubt, _Mapping]] = ..., heard_controls_keep_label: _Optional[_Iterable[bool]] = ...) -> None: ...

class Doubt(_message.Message):
    __slots__ = ("doubt", "wrong", "foreign", "percentile")
    DOUBT_FIELD_NUMBER: _ClassVar[int]
    WRONG_FIELD_NUMBER: _ClassVar[int]
    FOREIGN_FIELD_NUMBER: _ClassVar[int]
    PERCENTILE_FIELD_NUMBER: _ClassVar[int]
    doubt: float
    wrong: float
    foreign: float
    percentile: float
    def __init__(self, doubt: _Optional[float] = ..., wrong: _Optional[float] = ..., foreign: _Optional[float] = ..., percentile: _Optional[float] = ...) -> None: ...

class Exchange(_message.Message):
    __slots__ = ("carried", "silhouette", "removed", "random", "shifted", "other", "carried_over_silhouette", "carried_heard_probability", "silhouette_heard_probability", "carried_heard_label_kept", "silhouette_heard_label_kept")
    CARRIED_FIELD_NUMBER: _ClassVar[int]
    SILHOUETTE_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    RANDOM_FIELD_NUMBER: _ClassVar[int]
    SHIFTED_FIELD_NUMBER: _ClassVar[int]
    OTHER_FIELD_NUMBER: _ClassVar[int]
    CARRIED_OVER_SILHOUETTE_FIELD_NUMBER: _ClassVar[int]
    CARRIED_HEARD_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    SILHOUETTE_HEARD_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    CARRIED_HEARD_LABEL_KEPT_FIELD_NUMBER: _ClassVar[int]
    SILHOUETTE_HEARD_LABEL_KEPT_FIELD_NUMBER: _ClassVar[int]
    carried: Share
    silhouette: Share
    removed: Share
    random: Share
    shifted: Share
    other: Share
    carried_over_silhouette: float
    carried_heard_probability: float
    silhouette_heard_probability: float
    carried_heard_label_kept: bool
    silhouette_heard_label_kept: bool
    def __init__(self, carried: _Optional[_Union[Share, _Mapping]] = ..., silhouette: _Optional[_Union[Share, _Mapping]] = ..., removed: _Optional[_Union[Share, _Mapping]] = ..., random: _Optional[_Union[Share, _Mapping]] = ..., shifted: _Optional[_Union[Share, _Mapping]] = ..., other: _Optional[_Union[Share, _Mapping]] = ..., carried_over_silhouette: _Optional[float] = ..., carried_heard_probability: _Optional[float] = ..., silhouette_heard_probability: _Optional[float] = ..., carried_heard_label_kept: _Optional[bool] = ..., silhouette_heard_label_kept: _Optional[bool] = ...) -> None: ...

class Share(_message.Message):
    __slots__ = ("n", "kept", "probabilities", "keeps")
    N_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    KEEPS_FIELD_NUMBER: _ClassVar[int]
    n: int
    kept: int
    probabilities: _containers.RepeatedScalarFieldContainer[float]
    keeps: _containers.RepeatedScalarFieldContainer[bool]
    def __init__(self, n: _Optional[int] = ..., kept: _Optional[int] = ..., probabilities: _Optional[_Iterable[float]] = ..., keeps: _Optional[_Iterable[bool]] = ...) -> None: ...
