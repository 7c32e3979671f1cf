from phonoscope.v1 import audio_pb2 as _audio_pb2
from phonoscope.v1 import bundle_reference_pb2 as _bundle_reference_pb2
from phonoscope.v1 import decision_pb2 as _decision_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PredictRequest(_message.Message):
    __slots__ = ("audio", "decision", "listener", "label", "contrast")
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    LISTENER_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    CONTRAST_FIELD_NUMBER: _ClassVar[int]
    audio: _audio_pb2.Audio
    decision: _decision_pb2.Decision
    listener: str
    label: str
    contrast: str
    def __init__(self, audio: _Optional[_Union[_audio_pb2.Audio, _Mapping]] = ..., decision: _Optional[_Union[_decision_pb2.Decision, _Mapping]] = ..., listener: _Optional[str] = ..., label: _Optional[str] = ..., contrast: _Optional[str] = ...) -> None: ...

class PredictResponse(_message.Message):
    __slots__ = ("bundle", "probability", "frames_per_second", "threshold", "warnings", "segments", "listener", "label", "contrast", "labels")
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    FRAMES_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    LISTENER_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    CONTRAST_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    bundle: _bundle_reference_pb2.BundleReference
    probability: _containers.RepeatedScalarFieldContainer[float]
    frames_per_second: float
    threshold: float
    warnings: _containers.RepeatedCompositeFieldContainer[_audio_pb2.SoundWarning]
    segments: _containers.RepeatedCompositeFieldContainer[_decision_pb2.Segment]
    listener: str
    label: str
    contrast: str
    labels: _containers.RepeatedCompositeFieldContainer[LabelCurve]
    def __init__(self, bundle: _Optional[_Union[_bundle_reference_pb2.BundleReference, _Mapping]] = ..., probability: _Optional[_Iterable[float]] = ..., frames_per_second: _Optional[float] = ..., threshold: _Optional[float] = ..., warnings: _Optional[_Iterable[_Union[_audio_pb2.SoundWarning, _Mapping]]] = ..., segments: _Optional[_Iterable[_Union[_decision_pb2.Segment, _Mapping]]] = ..., listener: _Optional[str] = ..., label: _Optional[str] = ..., contrast: _Optional[str] = ..., labels: _Optional[_Iterable[_Union[LabelCurve, _Mapping]]] = ...) -> None: ...

class LabelCurve(_message.Message):
    __slots__ = ("label", "probability", "log_odds")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    LOG_ODDS_FIELD_NUMBER: _ClassVar[int]
    label: str
    probability: _containers.RepeatedScalarFieldContainer[float]
    log_odds: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, label: _Optional[str] = ..., probability: _Optional[_Iterable[float]] = ..., log_odds: _Optional[_Iterable[float]] = ...) -> None: ...
