from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

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
MASKING_UNSPECIFIED: Masking
MASKING_M1: Masking
MASKING_M2: Masking
LABEL_UNSPECIFIED: Label
LABEL_VOCAL: Label
LABEL_INSTRUMENTAL: Label

class TimeFrequencyMap(_message.Message):
    __slots__ = ("frames", "bands", "values")
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    BANDS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    frames: int
    bands: int
    values: bytes
    def __init__(self, frames: _Optional[int] = ..., bands: _Optional[int] = ..., values: _Optional[bytes] = ...) -> None: ...

class Region(_message.Message):
    __slots__ = ("frames", "bands", "inside")
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    BANDS_FIELD_NUMBER: _ClassVar[int]
    INSIDE_FIELD_NUMBER: _ClassVar[int]
    frames: int
    bands: int
    inside: bytes
    def __init__(self, frames: _Optional[int] = ..., bands: _Optional[int] = ..., inside: _Optional[bytes] = ...) -> None: ...

class TimeFrequencyAxes(_message.Message):
    __slots__ = ("start_s", "frames_per_second", "band_centre_hz")
    START_S_FIELD_NUMBER: _ClassVar[int]
    FRAMES_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    BAND_CENTRE_HZ_FIELD_NUMBER: _ClassVar[int]
    start_s: float
    frames_per_second: float
    band_centre_hz: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, start_s: _Optional[float] = ..., frames_per_second: _Optional[float] = ..., band_centre_hz: _Optional[_Iterable[float]] = ...) -> None: ...

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
    __slots__ = ("predicted_label", "probability", "masked_probability", "label_kept", "removed_probability", "removal_flips_label", "relative_area", "control_probability", "control_label_kept", "reconstruction_error", "reconstruction_percentile", "out_of_distribution", "heard_probability", "heard_label_kept")
    PREDICTED_LABEL_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    MASKED_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    LABEL_KEPT_FIELD_NUMBER: _ClassVar[int]
    REMOVED_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    REMOVAL_FLIPS_LABEL_FIELD_NUMBER: _ClassVar[int]
    RELATIVE_AREA_FIELD_NUMBER: _ClassVar[int]
    CONTROL_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    CONTROL_LABEL_KEPT_FIELD_NUMBER: _ClassVar[int]
    RECONSTRUCTION_ERROR_FIELD_NUMBER: _ClassVar[int]
    RECONSTRUCTION_PERCENTILE_FIELD_NUMBER: _ClassVar[int]
    OUT_OF_DISTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    HEARD_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    HEARD_LABEL_KEPT_FIELD_NUMBER: _ClassVar[int]
    predicted_label: Label
    probability: float
    masked_probability: float
    label_kept: bool
    removed_probability: float
    removal_flips_label: bool
    relative_area: float
    control_probability: float
    control_label_kept: bool
    reconstruction_error: float
    reconstruction_percentile: float
    out_of_distribution: bool
    heard_probability: float
    heard_label_kept: bool
    def __init__(self, predicted_label: _Optional[_Union[Label, str]] = ..., probability: _Optional[float] = ..., masked_probability: _Optional[float] = ..., label_kept: _Optional[bool] = ..., removed_probability: _Optional[float] = ..., removal_flips_label: _Optional[bool] = ..., relative_area: _Optional[float] = ..., control_probability: _Optional[float] = ..., control_label_kept: _Optional[bool] = ..., reconstruction_error: _Optional[float] = ..., reconstruction_percentile: _Optional[float] = ..., out_of_distribution: _Optional[bool] = ..., heard_probability: _Optional[float] = ..., heard_label_kept: _Optional[bool] = ...) -> None: ...

class BundleReference(_message.Message):
    __slots__ = ("name", "digest")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    name: str
    digest: str
    def __init__(self, name: _Optional[str] = ..., digest: _Optional[str] = ...) -> None: ...
