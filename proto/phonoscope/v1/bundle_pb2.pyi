from phonoscope.v1 import auralisation_pb2 as _auralisation_pb2
from phonoscope.v1 import bundle_reference_pb2 as _bundle_reference_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DecisionRule(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DECISION_RULE_UNSPECIFIED: _ClassVar[DecisionRule]
    DECISION_RULE_BINARY: _ClassVar[DecisionRule]
    DECISION_RULE_MULTI_CLASS: _ClassVar[DecisionRule]
    DECISION_RULE_MULTI_LABEL: _ClassVar[DecisionRule]
DECISION_RULE_UNSPECIFIED: DecisionRule
DECISION_RULE_BINARY: DecisionRule
DECISION_RULE_MULTI_CLASS: DecisionRule
DECISION_RULE_MULTI_LABEL: DecisionRule

class DescribeBundleRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DescribeBundleResponse(_message.Message):
    __slots__ = ("bundle", "layers", "sample_rate_hz", "hop_samples", "frame_samples", "excerpt_frames", "band_centre_hz", "threshold", "rules", "metrics", "training_data", "command", "exchange", "audible", "listeners")
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
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    AUDIBLE_FIELD_NUMBER: _ClassVar[int]
    LISTENERS_FIELD_NUMBER: _ClassVar[int]
    bundle: _bundle_reference_pb2.BundleReference
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
    exchange: ExchangeBank
    audible: _containers.RepeatedCompositeFieldContainer[_auralisation_pb2.AudibleNetwork]
    listeners: _containers.RepeatedCompositeFieldContainer[Listener]
    def __init__(self, bundle: _Optional[_Union[_bundle_reference_pb2.BundleReference, _Mapping]] = ..., layers: _Optional[_Iterable[_Union[Layer, _Mapping]]] = ..., sample_rate_hz: _Optional[int] = ..., hop_samples: _Optional[int] = ..., frame_samples: _Optional[int] = ..., excerpt_frames: _Optional[int] = ..., band_centre_hz: _Optional[_Iterable[float]] = ..., threshold: _Optional[float] = ..., rules: _Optional[_Iterable[_Union[ExplanationRule, _Mapping]]] = ..., metrics: _Optional[_Mapping[str, float]] = ..., training_data: _Optional[_Iterable[_Union[TrainingData, _Mapping]]] = ..., command: _Optional[str] = ..., exchange: _Optional[_Union[ExchangeBank, _Mapping]] = ..., audible: _Optional[_Iterable[_Union[_auralisation_pb2.AudibleNetwork, _Mapping]]] = ..., listeners: _Optional[_Iterable[_Union[Listener, _Mapping]]] = ...) -> None: ...

class Listener(_message.Message):
    __slots__ = ("name", "decision", "labels", "layers", "sample_rate_hz", "hop_samples", "frame_samples", "excerpt_frames", "band_centre_hz", "rules", "exchange", "rpcs", "predictions_per_second")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_HZ_FIELD_NUMBER: _ClassVar[int]
    HOP_SAMPLES_FIELD_NUMBER: _ClassVar[int]
    FRAME_SAMPLES_FIELD_NUMBER: _ClassVar[int]
    EXCERPT_FRAMES_FIELD_NUMBER: _ClassVar[int]
    BAND_CENTRE_HZ_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    RPCS_FIELD_NUMBER: _ClassVar[int]
    PREDICTIONS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    name: str
    decision: DecisionRule
    labels: _containers.RepeatedCompositeFieldContainer[ListenerLabel]
    layers: _containers.RepeatedCompositeFieldContainer[Layer]
    sample_rate_hz: int
    hop_samples: int
    frame_samples: int
    excerpt_frames: int
    band_centre_hz: _containers.RepeatedScalarFieldContainer[float]
    rules: _containers.RepeatedCompositeFieldContainer[ExplanationRule]
    exchange: ExchangeBank
    rpcs: _containers.RepeatedScalarFieldContainer[str]
    predictions_per_second: float
    def __init__(self, name: _Optional[str] = ..., decision: _Optional[_Union[DecisionRule, str]] = ..., labels: _Optional[_Iterable[_Union[ListenerLabel, _Mapping]]] = ..., layers: _Optional[_Iterable[_Union[Layer, _Mapping]]] = ..., sample_rate_hz: _Optional[int] = ..., hop_samples: _Optional[int] = ..., frame_samples: _Optional[int] = ..., excerpt_frames: _Optional[int] = ..., band_centre_hz: _Optional[_Iterable[float]] = ..., rules: _Optional[_Iterable[_Union[ExplanationRule, _Mapping]]] = ..., exchange: _Optional[_Union[ExchangeBank, _Mapping]] = ..., rpcs: _Optional[_Iterable[str]] = ..., predictions_per_second: _Optional[float] = ...) -> None: ...

class ListenerLabel(_message.Message):
    __slots__ = ("name", "threshold")
    NAME_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    name: str
    threshold: float
    def __init__(self, name: _Optional[str] = ..., threshold: _Optional[float] = ...) -> None: ...

class Layer(_message.Message):
    __slots__ = ("name", "shape", "invertible")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    INVERTIBLE_FIELD_NUMBER: _ClassVar[int]
    name: str
    shape: _containers.RepeatedScalarFieldContainer[int]
    invertible: bool
    def __init__(self, name: _Optional[str] = ..., shape: _Optional[_Iterable[int]] = ..., invertible: _Optional[bool] = ...) -> None: ...

class ExplanationRule(_message.Message):
    __slots__ = ("name", "default_alpha", "explains_any_label")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_ALPHA_FIELD_NUMBER: _ClassVar[int]
    EXPLAINS_ANY_LABEL_FIELD_NUMBER: _ClassVar[int]
    name: str
    default_alpha: float
    explains_any_label: bool
    def __init__(self, name: _Optional[str] = ..., default_alpha: _Optional[float] = ..., explains_any_label: _Optional[bool] = ...) -> None: ...

class TrainingData(_message.Message):
    __slots__ = ("name", "licence", "digest")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LICENCE_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    name: str
    licence: str
    digest: str
    def __init__(self, name: _Optional[str] = ..., licence: _Optional[str] = ..., digest: _Optional[str] = ...) -> None: ...

class ExchangeBank(_message.Message):
    __slots__ = ("excerpts", "licence")
    EXCERPTS_FIELD_NUMBER: _ClassVar[int]
    LICENCE_FIELD_NUMBER: _ClassVar[int]
    excerpts: int
    licence: str
    def __init__(self, excerpts: _Optional[int] = ..., licence: _Optional[str] = ...) -> None: ...
