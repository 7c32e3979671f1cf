from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SoundWarningKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SOUND_WARNING_KIND_UNSPECIFIED: _ClassVar[SoundWarningKind]
    SOUND_WARNING_KIND_TRUNCATED: _ClassVar[SoundWarningKind]
    SOUND_WARNING_KIND_GAP: _ClassVar[SoundWarningKind]
    SOUND_WARNING_KIND_DAMAGED: _ClassVar[SoundWarningKind]
    SOUND_WARNING_KIND_SEVERAL_STREAMS: _ClassVar[SoundWarningKind]
    SOUND_WARNING_KIND_NARROW_BAND: _ClassVar[SoundWarningKind]
    SOUND_WARNING_KIND_CANCELLING_CHANNELS: _ClassVar[SoundWarningKind]
    SOUND_WARNING_KIND_CLIPPED: _ClassVar[SoundWarningKind]
    SOUND_WARNING_KIND_UNUSUAL_SCALE: _ClassVar[SoundWarningKind]
SOUND_WARNING_KIND_UNSPECIFIED: SoundWarningKind
SOUND_WARNING_KIND_TRUNCATED: SoundWarningKind
SOUND_WARNING_KIND_GAP: SoundWarningKind
SOUND_WARNING_KIND_DAMAGED: SoundWarningKind
SOUND_WARNING_KIND_SEVERAL_STREAMS: SoundWarningKind
SOUND_WARNING_KIND_NARROW_BAND: SoundWarningKind
SOUND_WARNING_KIND_CANCELLING_CHANNELS: SoundWarningKind
SOUND_WARNING_KIND_CLIPPED: SoundWarningKind
SOUND_WARNING_KIND_UNUSUAL_SCALE: SoundWarningKind

class Audio(_message.Message):
    __slots__ = ("encoded", "pcm")
    ENCODED_FIELD_NUMBER: _ClassVar[int]
    PCM_FIELD_NUMBER: _ClassVar[int]
    encoded: bytes
    pcm: PcmAudio
    def __init__(self, encoded: _Optional[bytes] = ..., pcm: _Optional[_Union[PcmAudio, _Mapping]] = ...) -> None: ...

class PcmAudio(_message.Message):
    __slots__ = ("samples", "sample_rate_hz", "channels")
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_HZ_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    samples: bytes
    sample_rate_hz: int
    channels: int
    def __init__(self, samples: _Optional[bytes] = ..., sample_rate_hz: _Optional[int] = ..., channels: _Optional[int] = ...) -> None: ...

class Waveform(_message.Message):
    __slots__ = ("samples", "sample_rate_hz")
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_HZ_FIELD_NUMBER: _ClassVar[int]
    samples: bytes
    sample_rate_hz: int
    def __init__(self, samples: _Optional[bytes] = ..., sample_rate_hz: _Optional[int] = ...) -> None: ...

class SoundWarning(_message.Message):
    __slots__ = ("kind", "start_s", "end_s", "sentence")
    KIND_FIELD_NUMBER: _ClassVar[int]
    START_S_FIELD_NUMBER: _ClassVar[int]
    END_S_FIELD_NUMBER: _ClassVar[int]
    SENTENCE_FIELD_NUMBER: _ClassVar[int]
    kind: SoundWarningKind
    start_s: float
    end_s: float
    sentence: str
    def __init__(self, kind: _Optional[_Union[SoundWarningKind, str]] = ..., start_s: _Optional[float] = ..., end_s: _Optional[float] = ..., sentence: _Optional[str] = ...) -> None: ...
