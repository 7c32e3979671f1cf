from phonoscope.v1 import explanation_pb2 as _explanation_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Decision(_message.Message):
    __slots__ = ("median_filter_s", "threshold", "minimum_s")
    MEDIAN_FILTER_S_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_S_FIELD_NUMBER: _ClassVar[int]
    median_filter_s: float
    threshold: float
    minimum_s: float
    def __init__(self, median_filter_s: _Optional[float] = ..., threshold: _Optional[float] = ..., minimum_s: _Optional[float] = ...) -> None: ...

class Segment(_message.Message):
    __slots__ = ("start_s", "end_s", "label", "mean_confidence", "trust", "label_name")
    START_S_FIELD_NUMBER: _ClassVar[int]
    END_S_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    MEAN_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    TRUST_FIELD_NUMBER: _ClassVar[int]
    LABEL_NAME_FIELD_NUMBER: _ClassVar[int]
    start_s: float
    end_s: float
    label: _explanation_pb2.Label
    mean_confidence: float
    trust: SegmentTrust
    label_name: str
    def __init__(self, start_s: _Optional[float] = ..., end_s: _Optional[float] = ..., label: _Optional[_Union[_explanation_pb2.Label, str]] = ..., mean_confidence: _Optional[float] = ..., trust: _Optional[_Union[SegmentTrust, _Mapping]] = ..., label_name: _Optional[str] = ...) -> None: ...

class SegmentTrust(_message.Message):
    __slots__ = ("explained", "tried", "held", "mean_doubt")
    EXPLAINED_FIELD_NUMBER: _ClassVar[int]
    TRIED_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    MEAN_DOUBT_FIELD_NUMBER: _ClassVar[int]
    explained: int
    tried: int
    held: int
    mean_doubt: float
    def __init__(self, explained: _Optional[int] = ..., tried: _Optional[int] = ..., held: _Optional[int] = ..., mean_doubt: _Optional[float] = ...) -> None: ...
