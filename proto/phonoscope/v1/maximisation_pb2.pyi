from phonoscope.v1 import audio_pb2 as _audio_pb2
from phonoscope.v1 import bundle_reference_pb2 as _bundle_reference_pb2
from phonoscope.v1 import time_frequency_pb2 as _time_frequency_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Direction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DIRECTION_UNSPECIFIED: _ClassVar[Direction]
    DIRECTION_MAXIMISE: _ClassVar[Direction]
    DIRECTION_MINIMISE: _ClassVar[Direction]
DIRECTION_UNSPECIFIED: Direction
DIRECTION_MAXIMISE: Direction
DIRECTION_MINIMISE: Direction

class MaximiseRequest(_message.Message):
    __slots__ = ("terms", "position", "direction", "examples", "seed", "steps", "learning_rate", "prior_weight", "listen", "listener", "label", "contrast", "map_precision")
    TERMS_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    LEARNING_RATE_FIELD_NUMBER: _ClassVar[int]
    PRIOR_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    LISTEN_FIELD_NUMBER: _ClassVar[int]
    LISTENER_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    CONTRAST_FIELD_NUMBER: _ClassVar[int]
    MAP_PRECISION_FIELD_NUMBER: _ClassVar[int]
    terms: _containers.RepeatedCompositeFieldContainer[ResponseTerm]
    position: MapPosition
    direction: Direction
    examples: int
    seed: int
    steps: int
    learning_rate: float
    prior_weight: float
    listen: bool
    listener: str
    label: str
    contrast: str
    map_precision: _time_frequency_pb2.MapPrecision
    def __init__(self, terms: _Optional[_Iterable[_Union[ResponseTerm, _Mapping]]] = ..., position: _Optional[_Union[MapPosition, _Mapping]] = ..., direction: _Optional[_Union[Direction, str]] = ..., examples: _Optional[int] = ..., seed: _Optional[int] = ..., steps: _Optional[int] = ..., learning_rate: _Optional[float] = ..., prior_weight: _Optional[float] = ..., listen: _Optional[bool] = ..., listener: _Optional[str] = ..., label: _Optional[str] = ..., contrast: _Optional[str] = ..., map_precision: _Optional[_Union[_time_frequency_pb2.MapPrecision, str]] = ...) -> None: ...

class ResponseTerm(_message.Message):
    __slots__ = ("layer", "channel", "weight")
    LAYER_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    layer: str
    channel: int
    weight: float
    def __init__(self, layer: _Optional[str] = ..., channel: _Optional[int] = ..., weight: _Optional[float] = ...) -> None: ...

class MapPosition(_message.Message):
    __slots__ = ("frame", "band")
    FRAME_FIELD_NUMBER: _ClassVar[int]
    BAND_FIELD_NUMBER: _ClassVar[int]
    frame: int
    band: int
    def __init__(self, frame: _Optional[int] = ..., band: _Optional[int] = ...) -> None: ...

class MaximiseResponse(_message.Message):
    __slots__ = ("settings", "progress", "example")
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    EXAMPLE_FIELD_NUMBER: _ClassVar[int]
    settings: MaximisationSettings
    progress: MaximisationProgress
    example: MaximisationExample
    def __init__(self, settings: _Optional[_Union[MaximisationSettings, _Mapping]] = ..., progress: _Optional[_Union[MaximisationProgress, _Mapping]] = ..., example: _Optional[_Union[MaximisationExample, _Mapping]] = ...) -> None: ...

class MaximisationSettings(_message.Message):
    __slots__ = ("bundle", "axes", "steps", "learning_rate", "prior_weight", "examples", "threshold", "listener", "label", "contrast")
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    AXES_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    LEARNING_RATE_FIELD_NUMBER: _ClassVar[int]
    PRIOR_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    LISTENER_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    CONTRAST_FIELD_NUMBER: _ClassVar[int]
    bundle: _bundle_reference_pb2.BundleReference
    axes: _time_frequency_pb2.TimeFrequencyAxes
    steps: int
    learning_rate: float
    prior_weight: float
    examples: int
    threshold: float
    listener: str
    label: str
    contrast: str
    def __init__(self, bundle: _Optional[_Union[_bundle_reference_pb2.BundleReference, _Mapping]] = ..., axes: _Optional[_Union[_time_frequency_pb2.TimeFrequencyAxes, _Mapping]] = ..., steps: _Optional[int] = ..., learning_rate: _Optional[float] = ..., prior_weight: _Optional[float] = ..., examples: _Optional[int] = ..., threshold: _Optional[float] = ..., listener: _Optional[str] = ..., label: _Optional[str] = ..., contrast: _Optional[str] = ...) -> None: ...

class MaximisationProgress(_message.Message):
    __slots__ = ("step", "response", "prior")
    STEP_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    PRIOR_FIELD_NUMBER: _ClassVar[int]
    step: _containers.RepeatedScalarFieldContainer[int]
    response: _containers.RepeatedScalarFieldContainer[float]
    prior: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, step: _Optional[_Iterable[int]] = ..., response: _Optional[_Iterable[float]] = ..., prior: _Optional[_Iterable[float]] = ...) -> None: ...

class MaximisationExample(_message.Message):
    __slots__ = ("index", "initial_response", "response", "initial_prior", "prior", "initial_probability", "probability", "initial_log_mel", "log_mel", "initial_audio", "audio")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    INITIAL_RESPONSE_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    INITIAL_PRIOR_FIELD_NUMBER: _ClassVar[int]
    PRIOR_FIELD_NUMBER: _ClassVar[int]
    INITIAL_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    INITIAL_LOG_MEL_FIELD_NUMBER: _ClassVar[int]
    LOG_MEL_FIELD_NUMBER: _ClassVar[int]
    INITIAL_AUDIO_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    index: int
    initial_response: float
    response: float
    initial_prior: float
    prior: float
    initial_probability: float
    probability: float
    initial_log_mel: _time_frequency_pb2.TimeFrequencyMap
    log_mel: _time_frequency_pb2.TimeFrequencyMap
    initial_audio: _audio_pb2.Waveform
    audio: _audio_pb2.Waveform
    def __init__(self, index: _Optional[int] = ..., initial_response: _Optional[float] = ..., response: _Optional[float] = ..., initial_prior: _Optional[float] = ..., prior: _Optional[float] = ..., initial_probability: _Optional[float] = ..., probability: _Optional[float] = ..., initial_log_mel: _Optional[_Union[_time_frequency_pb2.TimeFrequencyMap, _Mapping]] = ..., log_mel: _Optional[_Union[_time_frequency_pb2.TimeFrequencyMap, _Mapping]] = ..., initial_audio: _Optional[_Union[_audio_pb2.Waveform, _Mapping]] = ..., audio: _Optional[_Union[_audio_pb2.Waveform, _Mapping]] = ...) -> None: ...
