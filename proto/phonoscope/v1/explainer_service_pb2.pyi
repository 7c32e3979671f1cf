from phonoscope.v1 import audio_pb2 as _audio_pb2
from phonoscope.v1 import auralisation_pb2 as _auralisation_pb2
from phonoscope.v1 import explanation_pb2 as _explanation_pb2
from phonoscope.v1 import maximisation_pb2 as _maximisation_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PredictRequest(_message.Message):
    __slots__ = ("audio",)
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    audio: _audio_pb2.Audio
    def __init__(self, audio: _Optional[_Union[_audio_pb2.Audio, _Mapping]] = ...) -> None: ...

class PredictResponse(_message.Message):
    __slots__ = ("bundle", "probability", "frames_per_second", "threshold")
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    FRAMES_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    bundle: _explanation_pb2.BundleReference
    probability: _containers.RepeatedScalarFieldContainer[float]
    frames_per_second: float
    threshold: float
    def __init__(self, bundle: _Optional[_Union[_explanation_pb2.BundleReference, _Mapping]] = ..., probability: _Optional[_Iterable[float]] = ..., frames_per_second: _Optional[float] = ..., threshold: _Optional[float] = ...) -> None: ...

class ExplainRequest(_message.Message):
    __slots__ = ("audio", "at_s", "region", "masking", "listen", "rule", "outside_db", "detailed")
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    AT_S_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    MASKING_FIELD_NUMBER: _ClassVar[int]
    LISTEN_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    OUTSIDE_DB_FIELD_NUMBER: _ClassVar[int]
    DETAILED_FIELD_NUMBER: _ClassVar[int]
    audio: _audio_pb2.Audio
    at_s: float
    region: _explanation_pb2.RegionChoice
    masking: _explanation_pb2.Masking
    listen: bool
    rule: str
    outside_db: float
    detailed: bool
    def __init__(self, audio: _Optional[_Union[_audio_pb2.Audio, _Mapping]] = ..., at_s: _Optional[float] = ..., region: _Optional[_Union[_explanation_pb2.RegionChoice, _Mapping]] = ..., masking: _Optional[_Union[_explanation_pb2.Masking, str]] = ..., listen: _Optional[bool] = ..., rule: _Optional[str] = ..., outside_db: _Optional[float] = ..., detailed: _Optional[bool] = ...) -> None: ...

class ExplainResponse(_message.Message):
    __slots__ = ("bundle", "at_s", "axes", "log_mel", "relevance", "region", "explanation", "alpha", "masking", "threshold", "trust", "original_audio", "explanation_audio", "rule", "outside_db", "inverted")
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
    bundle: _explanation_pb2.BundleReference
    at_s: float
    axes: _explanation_pb2.TimeFrequencyAxes
    log_mel: _explanation_pb2.TimeFrequencyMap
    relevance: _explanation_pb2.TimeFrequencyMap
    region: _explanation_pb2.Region
    explanation: _explanation_pb2.TimeFrequencyMap
    alpha: float
    masking: _explanation_pb2.Masking
    threshold: float
    trust: _explanation_pb2.Trust
    original_audio: _audio_pb2.Waveform
    explanation_audio: _audio_pb2.Waveform
    rule: str
    outside_db: float
    inverted: _explanation_pb2.TimeFrequencyMap
    def __init__(self, bundle: _Optional[_Union[_explanation_pb2.BundleReference, _Mapping]] = ..., at_s: _Optional[float] = ..., axes: _Optional[_Union[_explanation_pb2.TimeFrequencyAxes, _Mapping]] = ..., log_mel: _Optional[_Union[_explanation_pb2.TimeFrequencyMap, _Mapping]] = ..., relevance: _Optional[_Union[_explanation_pb2.TimeFrequencyMap, _Mapping]] = ..., region: _Optional[_Union[_explanation_pb2.Region, _Mapping]] = ..., explanation: _Optional[_Union[_explanation_pb2.TimeFrequencyMap, _Mapping]] = ..., alpha: _Optional[float] = ..., masking: _Optional[_Union[_explanation_pb2.Masking, str]] = ..., threshold: _Optional[float] = ..., trust: _Optional[_Union[_explanation_pb2.Trust, _Mapping]] = ..., original_audio: _Optional[_Union[_audio_pb2.Waveform, _Mapping]] = ..., explanation_audio: _Optional[_Union[_audio_pb2.Waveform, _Mapping]] = ..., rule: _Optional[str] = ..., outside_db: _Optional[float] = ..., inverted: _Optional[_Union[_explanation_pb2.TimeFrequencyMap, _Mapping]] = ...) -> None: ...

class InvertLayersRequest(_message.Message):
    __slots__ = ("audio", "at_s", "layers", "listen")
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    AT_S_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    LISTEN_FIELD_NUMBER: _ClassVar[int]
    audio: _audio_pb2.Audio
    at_s: float
    layers: _containers.RepeatedScalarFieldContainer[str]
    listen: bool
    def __init__(self, audio: _Optional[_Union[_audio_pb2.Audio, _Mapping]] = ..., at_s: _Optional[float] = ..., layers: _Optional[_Iterable[str]] = ..., listen: _Optional[bool] = ...) -> None: ...

class InvertLayersResponse(_message.Message):
    __slots__ = ("bundle", "at_s", "axes", "log_mel", "standardised", "probability", "threshold", "inversions", "original_audio", "log_mel_audio", "seconds")
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    AT_S_FIELD_NUMBER: _ClassVar[int]
    AXES_FIELD_NUMBER: _ClassVar[int]
    LOG_MEL_FIELD_NUMBER: _ClassVar[int]
    STANDARDISED_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    INVERSIONS_FIELD_NUMBER: _ClassVar[int]
    ORIGINAL_AUDIO_FIELD_NUMBER: _ClassVar[int]
    LOG_MEL_AUDIO_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    bundle: _explanation_pb2.BundleReference
    at_s: float
    axes: _explanation_pb2.TimeFrequencyAxes
    log_mel: _explanation_pb2.TimeFrequencyMap
    standardised: _explanation_pb2.TimeFrequencyMap
    probability: float
    threshold: float
    inversions: _containers.RepeatedCompositeFieldContainer[LayerInversion]
    original_audio: _audio_pb2.Waveform
    log_mel_audio: _audio_pb2.Waveform
    seconds: float
    def __init__(self, bundle: _Optional[_Union[_explanation_pb2.BundleReference, _Mapping]] = ..., at_s: _Optional[float] = ..., axes: _Optional[_Union[_explanation_pb2.TimeFrequencyAxes, _Mapping]] = ..., log_mel: _Optional[_Union[_explanation_pb2.TimeFrequencyMap, _Mapping]] = ..., standardised: _Optional[_Union[_explanation_pb2.TimeFrequencyMap, _Mapping]] = ..., probability: _Optional[float] = ..., threshold: _Optional[float] = ..., inversions: _Optional[_Iterable[_Union[LayerInversion, _Mapping]]] = ..., original_audio: _Optional[_Union[_audio_pb2.Waveform, _Mapping]] = ..., log_mel_audio: _Optional[_Union[_audio_pb2.Waveform, _Mapping]] = ..., seconds: _Optional[float] = ...) -> None: ...

class LayerInversion(_message.Message):
    __slots__ = ("layer", "inverted", "reconstruction_error", "reconstruction_percentile", "out_of_distribution", "audio")
    LAYER_FIELD_NUMBER: _ClassVar[int]
    INVERTED_FIELD_NUMBER: _ClassVar[int]
    RECONSTRUCTION_ERROR_FIELD_NUMBER: _ClassVar[int]
    RECONSTRUCTION_PERCENTILE_FIELD_NUMBER: _ClassVar[int]
    OUT_OF_DISTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    layer: str
    inverted: _explanation_pb2.TimeFrequencyMap
    reconstruction_error: float
    reconstruction_percentile: float
    out_of_distribution: bool
    audio: _audio_pb2.Waveform
    def __init__(self, layer: _Optional[str] = ..., inverted: _Optional[_Union[_explanation_pb2.TimeFrequencyMap, _Mapping]] = ..., reconstruction_error: _Optional[float] = ..., reconstruction_percentile: _Optional[float] = ..., out_of_distribution: _Optional[bool] = ..., audio: _Optional[_Union[_audio_pb2.Waveform, _Mapping]] = ...) -> None: ...

class DescribeBundleRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Layer(_message.Message):
    __slots__ = ("name", "shape", "invertible")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    INVERTIBLE_FIELD_NUMBER: _ClassVar[int]
    name: str
    shape: _containers.RepeatedScalarFieldContainer[int]
    invertible: bool
    def __init__(self, name: _Optional[str] = ..., shape: _Optional[_Iterable[int]] = ..., invertible: _Optional[bool] = ...) -> None: ...

class DescribeBundleResponse(_message.Message):
    __slots__ = ("bundle", "layers", "sample_rate_hz", "hop_samples", "frame_samples", "excerpt_frames", "band_centre_hz", "threshold", "rules", "metrics", "training_data", "command", "audible")
    class MetricsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_HZ_FIELD_NUMBER: _ClassVar[int]
    HOP_SAMPLES_FIELD_NUMBER: _ClassVar[int]
    FRAME_SAMPLES_FIELD_NUMBER: _ClassVar[int]
    EXCERPT_FRAMES_FIELD_NUMBER: _ClassVar[int]
    BAND_CENTRE_HZ_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    TRAINING_DATA_FIELD_NUMBER: _ClassVar[int]
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    AUDIBLE_FIELD_NUMBER: _ClassVar[int]
    bundle: _explanation_pb2.BundleReference
    layers: _containers.RepeatedCompositeFieldContainer[Layer]
    sample_rate_hz: int
    hop_samples: int
    frame_samples: int
    excerpt_frames: int
    band_centre_hz: _containers.RepeatedScalarFieldContainer[float]
    threshold: float
    rules: _containers.RepeatedCompositeFieldContainer[ExplanationRule]
    metrics: _containers.ScalarMap[str, float]
    training_data: _containers.RepeatedCompositeFieldContainer[TrainingData]
    command: str
    audible: _containers.RepeatedCompositeFieldContainer[_auralisation_pb2.AudibleNetwork]
    def __init__(self, bundle: _Optional[_Union[_explanation_pb2.BundleReference, _Mapping]] = ..., layers: _Optional[_Iterable[_Union[Layer, _Mapping]]] = ..., sample_rate_hz: _Optional[int] = ..., hop_samples: _Optional[int] = ..., frame_samples: _Optional[int] = ..., excerpt_frames: _Optional[int] = ..., band_centre_hz: _Optional[_Iterable[float]] = ..., threshold: _Optional[float] = ..., rules: _Optional[_Iterable[_Union[ExplanationRule, _Mapping]]] = ..., metrics: _Optional[_Mapping[str, float]] = ..., training_data: _Optional[_Iterable[_Union[TrainingData, _Mapping]]] = ..., command: _Optional[str] = ..., audible: _Optional[_Iterable[_Union[_auralisation_pb2.AudibleNetwork, _Mapping]]] = ...) -> None: ...

class ExplanationRule(_message.Message):
    __slots__ = ("name", "default_alpha")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_ALPHA_FIELD_NUMBER: _ClassVar[int]
    name: str
    default_alpha: float
    def __init__(self, name: _Optional[str] = ..., default_alpha: _Optional[float] = ...) -> None: ...

class TrainingData(_message.Message):
    __slots__ = ("name", "licence", "digest")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LICENCE_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    name: str
    licence: str
    digest: str
    def __init__(self, name: _Optional[str] = ..., licence: _Optional[str] = ..., digest: _Optional[str] = ...) -> None: ...
