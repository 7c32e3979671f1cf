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

class Network(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NETWORK_UNSPECIFIED: _ClassVar[Network]
    NETWORK_TAGGER: _ClassVar[Network]
    NETWORK_DETECTOR: _ClassVar[Network]

class Resynthesis(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESYNTHESIS_UNSPECIFIED: _ClassVar[Resynthesis]
    RESYNTHESIS_PHASE: _ClassVar[Resynthesis]
    RESYNTHESIS_SPECTRUM: _ClassVar[Resynthesis]
NETWORK_UNSPECIFIED: Network
NETWORK_TAGGER: Network
NETWORK_DETECTOR: Network
RESYNTHESIS_UNSPECIFIED: Resynthesis
RESYNTHESIS_PHASE: Resynthesis
RESYNTHESIS_SPECTRUM: Resynthesis

class AuraliseRequest(_message.Message):
    __slots__ = ("audio", "at_s", "network", "layer", "features", "strongest", "largest_activation_only", "resynthesis", "listen", "listener", "label", "contrast", "map_precision")
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    AT_S_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    LAYER_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    STRONGEST_FIELD_NUMBER: _ClassVar[int]
    LARGEST_ACTIVATION_ONLY_FIELD_NUMBER: _ClassVar[int]
    RESYNTHESIS_FIELD_NUMBER: _ClassVar[int]
    LISTEN_FIELD_NUMBER: _ClassVar[int]
    LISTENER_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    CONTRAST_FIELD_NUMBER: _ClassVar[int]
    MAP_PRECISION_FIELD_NUMBER: _ClassVar[int]
    audio: _audio_pb2.Audio
    at_s: float
    network: Network
    layer: str
    features: _containers.RepeatedScalarFieldContainer[int]
    strongest: int
    largest_activation_only: bool
    resynthesis: Resynthesis
    listen: bool
    listener: str
    label: str
    contrast: str
    map_precision: _time_frequency_pb2.MapPrecision
    def __init__(self, audio: _Optional[_Union[_audio_pb2.Audio, _Mapping]] = ..., at_s: _Optional[float] = ..., network: _Optional[_Union[Network, str]] = ..., layer: _Optional[str] = ..., features: _Optional[_Iterable[int]] = ..., strongest: _Optional[int] = ..., largest_activation_only: _Optional[bool] = ..., resynthesis: _Optional[_Union[Resynthesis, str]] = ..., listen: _Optional[bool] = ..., listener: _Optional[str] = ..., label: _Optional[str] = ..., contrast: _Optional[str] = ..., map_precision: _Optional[_Union[_time_frequency_pb2.MapPrecision, str]] = ...) -> None: ...

class AuraliseResponse(_message.Message):
    __slots__ = ("bundle", "at_s", "axes", "given", "classes", "features", "original_audio", "resynthesis", "seconds", "warnings", "listener", "label", "contrast", "labels")
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    AT_S_FIELD_NUMBER: _ClassVar[int]
    AXES_FIELD_NUMBER: _ClassVar[int]
    GIVEN_FIELD_NUMBER: _ClassVar[int]
    CLASSES_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    ORIGINAL_AUDIO_FIELD_NUMBER: _ClassVar[int]
    RESYNTHESIS_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    LISTENER_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    CONTRAST_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    bundle: _bundle_reference_pb2.BundleReference
    at_s: float
    axes: _time_frequency_pb2.TimeFrequencyAxes
    given: _time_frequency_pb2.TimeFrequencyMap
    classes: _containers.RepeatedCompositeFieldContainer[ClassProbability]
    features: _containers.RepeatedCompositeFieldContainer[HeardFeature]
    original_audio: _audio_pb2.Waveform
    resynthesis: Resynthesis
    seconds: float
    warnings: _containers.RepeatedCompositeFieldContainer[_audio_pb2.SoundWarning]
    listener: str
    label: str
    contrast: str
    labels: _containers.RepeatedCompositeFieldContainer[_label_pb2.LabelProbability]
    def __init__(self, bundle: _Optional[_Union[_bundle_reference_pb2.BundleReference, _Mapping]] = ..., at_s: _Optional[float] = ..., axes: _Optional[_Union[_time_frequency_pb2.TimeFrequencyAxes, _Mapping]] = ..., given: _Optional[_Union[_time_frequency_pb2.TimeFrequencyMap, _Mapping]] = ..., classes: _Optional[_Iterable[_Union[ClassProbability, _Mapping]]] = ..., features: _Optional[_Iterable[_Union[HeardFeature, _Mapping]]] = ..., original_audio: _Optional[_Union[_audio_pb2.Waveform, _Mapping]] = ..., resynthesis: _Optional[_Union[Resynthesis, str]] = ..., seconds: _Optional[float] = ..., warnings: _Optional[_Iterable[_Union[_audio_pb2.SoundWarning, _Mapping]]] = ..., listener: _Optional[str] = ..., label: _Optional[str] = ..., contrast: _Optional[str] = ..., labels: _Optional[_Iterable[_Union[_label_pb2.LabelProbability, _Mapping]]] = ...) -> None: ...

class ClassProbability(_message.Message):
    __slots__ = ("label", "probability")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    label: str
    probability: float
    def __init__(self, label: _Optional[str] = ..., probability: _Optional[float] = ...) -> None: ...

class HeardFeature(_message.Message):
    __slots__ = ("layer", "feature", "strength", "heard", "audio")
    LAYER_FIELD_NUMBER: _ClassVar[int]
    FEATURE_FIELD_NUMBER: _ClassVar[int]
    STRENGTH_FIELD_NUMBER: _ClassVar[int]
    HEARD_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    layer: str
    feature: int
    strength: float
    heard: _time_frequency_pb2.TimeFrequencyMap
    audio: _audio_pb2.Waveform
    def __init__(self, layer: _Optional[str] = ..., feature: _Optional[int] = ..., strength: _Optional[float] = ..., heard: _Optional[_Union[_time_frequency_pb2.TimeFrequencyMap, _Mapping]] = ..., audio: _Optional[_Union[_audio_pb2.Waveform, _Mapping]] = ...) -> None: ...

class AudibleNetwork(_message.Message):
    __slots__ = ("network", "layers", "labels", "clip_s", "listener")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    CLIP_S_FIELD_NUMBER: _ClassVar[int]
    LISTENER_FIELD_NUMBER: _ClassVar[int]
    network: Network
    layers: _containers.RepeatedCompositeFieldContainer[AudibleLayer]
    labels: _containers.RepeatedScalarFieldContainer[str]
    clip_s: float
    listener: str
    def __init__(self, network: _Optional[_Union[Network, str]] = ..., layers: _Optional[_Iterable[_Union[AudibleLayer, _Mapping]]] = ..., labels: _Optional[_Iterable[str]] = ..., clip_s: _Optional[float] = ..., listener: _Optional[str] = ...) -> None: ...

class AudibleLayer(_message.Message):
    __slots__ = ("name", "features")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    name: str
    features: int
    def __init__(self, name: _Optional[str] = ..., features: _Optional[int] = ...) -> None: ...
