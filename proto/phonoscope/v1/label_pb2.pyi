from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class LabelProbability(_message.Message):
    __slots__ = ("label", "probability", "log_odds")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    LOG_ODDS_FIELD_NUMBER: _ClassVar[int]
    label: str
    probability: float
    log_odds: float
    def __init__(self, label: _Optional[str] = ..., probability: _Optional[float] = ..., log_odds: _Optional[float] = ...) -> None: ...
