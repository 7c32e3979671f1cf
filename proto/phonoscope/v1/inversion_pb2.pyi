from phonoscope.v1 import audio_pb2 as _audio_pb2
from phonoscope.v1 import bundle_reference_pb2 as _bundle_reference_pb2
from phonoscope.v1 import label_pb2 as _label_pb2
from phonoscope.v1 import time_frequency_pb2 as _time_frequency_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class InvertLayersRequest(_message.Message):
    __slots__ = ("audio", "at_s", "layers", "listen", "listener", "label", "contrast", "map_precision")
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    AT_S_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    LISTEN_FIELD_NUMBER: _ClassVar[int]
    LISTENER_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    CONTRAST_FIELD_NUMBER: _ClassVar[int]
    MAP_PRECISION_FIELD_NUMBER: _ClassVar[int]
    audio: _audio_pb2.Audio
    at_s: float
    layers: _containers.RepeatedScalarFieldContainer[str]
    listen: bool
    listener: str
    label: str
    contrast: str
    map_precision: _time_frequency_pb2.MapPrecision
    def __init__(self, audio: _Optional[_Union[_audio_pb2.Audio, _Mapping]] = ..., at_s: _Optional[float] = ..., layers: _Optional[_Iterable[str]] = ..., listen: _Optional[bool] = ..., listener: _Optional[str] = ..., label: _Optional[str] = ..., contrast: _Optional[str] = ..., map_precision: _Optional[_Union[_time_frequency_pb2.MapPrecision, str]] = ...) -> None: ...

class InvertLayersResponse(_message.Message):
    __slots__ = ("bundle", "at_s", "axes", "log_mel", "standardised", "probability", "threshold", "inversions", "original_audio", "log_mel_audio", "seconds", "warnings", "listener", "label", "contrast", "labels")
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
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    LISTENER_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    CONTRAST_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    bundle: _bundle_reference_pb2.BundleReference
    at_s: float
    axes: _time_frequency_pb2.TimeFrequencyAxes
    log_mel: _time_frequency_pb2.TimeFrequencyMap
    standardised: _time_frequency_pb2.TimeFrequencyMap
    probability: float
    threshold: float
    inversions: _containers.RepeatedCompositeFieldContainer[LayerInversion]
    original_audio: _audio_pb2.Waveform
    log_mel_audio: _audio_pb2.Waveform
    seconds: float
    warnings: _containers.RepeatedCompositeFieldContainer[_audio_pb2.SoundWarning]
    listener: str
    label: str
    contrast: str
    labels: _containers.RepeatedCompositeFieldContainer[_label_pb2.LabelProbability]
    def __init__(self, bundle: _Optional[_Union[_bundle_reference_pb2.BundleReference, _Mapping]] = ..., at_s: _Optional[float] = ..., axes: _Optional[_Union[_time_frequency_pb2.TimeFrequencyAxes, _Mapping]] = ..., log_mel: _Optional[_Union[_time_frequency_pb2.TimeFrequencyMap, _Mapping]] = ..., standardised: _Optional[_Union[_time_frequency_pb2.TimeFrequencyMap, _Mapping]] = ..., probability: _Optional[float] = ..., threshold: _Optional[float] = ..., inversions: _Optional[_Iterable[_Union[LayerInversion, _Mapping]]] = ..., original_audio: _Optional[_Union[_audio_pb2.Waveform, _Mapping]] = ..., log_mel_audio: _Optional[_Union[_audio_pb2.Waveform, _Mapping]] = ..., seconds: _Optional[float] = ..., warnings: _Optional[_Iterable[_Union[_audio_pb2.SoundWarning, _Mapping]]] = ..., listener: _Optional[str] = ..., label: _Optional[str] = ..., contrast: _Optional[str] = ..., labels: _Optional[_Iterable[_Union[_label_pb2.LabelProbability, _Mapping]]] = ...) -> None: ...

class LayerInversion(_message.Message):
    __slots__ = ("layer", "inverted", "reconstruction_error", "reconstruction_percentile", "out_of_distribution", "audio")
    LAYER_FIELD_NUMBER: _ClassVar[int]
    INVERTED_FIELD_NUMBER: _ClassVar[int]
    RECONSTRUCTION_ERROR_FIELD_NUMBER: _ClassVar[int]
    RECONSTRUCTION_PERCENTILE_FIELD_NUMBER: _ClassVar[int]
    OUT_OF_DISTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    layer: str
    inverted: _time_frequency_pb2.TimeFrequencyMap
    reconstruction_error: float
    reconstruction_percentile: float
    out_of_distribution: bool
    audio: _audio_pb2.Waveform
    def __init__(self, layer: _Optional[str] = ..., inverted: _Optional[_Union[_time_frequency_pb2.TimeFrequencyMap, _Mapping]] = ..., reconstruction_error: _Optional[float] = ..., reconstruction_percentile: _Optional[float] = ..., out_of_distribution: _Optional[bool] = ..., audio: _Optional[_Union[_audio_pb2.Waveform, _Mapping]] = ...) -> None: ...
