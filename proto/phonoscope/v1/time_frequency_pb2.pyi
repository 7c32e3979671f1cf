from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class TimeFrequencyMap(_message.Message):
    __slots__ = ("frames", "bands", "values")
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    BANDS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    frames: int
    bands: int
    values: bytes
    def __init__(self, frames: _Optional[int] = ..., bands: _Optional[int] = ..., values: _Optional[bytes] = ...) -> None: ...

class TimeFrequencyAxes(_message.Message):
    __slots__ = ("start_s", "frames_per_second", "band_centre_hz")
    START_S_FIELD_NUMBER: _ClassVar[int]
    FRAMES_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    BAND_CENTRE_HZ_FIELD_NUMBER: _ClassVar[int]
    start_s: float
    frames_per_second: float
    band_centre_hz: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, start_s: _Optional[float] = ..., frames_per_second: _Optional[float] = ..., band_centre_hz: _Optional[_Iterable[float]] = ...) -> None: ...
