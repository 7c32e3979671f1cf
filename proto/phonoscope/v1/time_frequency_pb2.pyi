from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MapPrecision(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MAP_PRECISION_UNSPECIFIED: _ClassVar[MapPrecision]
    MAP_PRECISION_FLOAT32: _ClassVar[MapPrecision]
    MAP_PRECISION_FLOAT16: _ClassVar[MapPrecision]
MAP_PRECISION_UNSPECIFIED: MapPrecision
MAP_PRECISION_FLOAT32: MapPrecision
MAP_PRECISION_FLOAT16: MapPrecision

class TimeFrequencyMap(_message.Message):
    __slots__ = ("frames", "bands", "values", "precision")
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    BANDS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    frames: int
    bands: int
    values: bytes
    precision: MapPrecision
    def __init__(self, frames: _Optional[int] = ..., bands: _Optional[int] = ..., values: _Optional[bytes] = ..., precision: _Optional[_Union[MapPrecision, str]] = ...) -> None: ...

class TimeFrequencyAxes(_message.Message):
    __slots__ = ("start_s", "frames_per_second", "band_centre_hz")
    START_S_FIELD_NUMBER: _ClassVar[int]
    FRAMES_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    BAND_CENTRE_HZ_FIELD_NUMBER: _ClassVar[int]
    start_s: float
    frames_per_second: float
    band_centre_hz: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, start_s: _Optional[float] = ..., frames_per_second: _Optional[float] = ..., band_centre_hz: _Optional[_Iterable[float]] = ...) -> None: ...
