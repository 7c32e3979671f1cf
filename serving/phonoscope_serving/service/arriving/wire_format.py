"""A request's fields counted and weighed while they are still bytes: decoded, small fields take fifty times the room.

The format is protobuf's (https://protobuf.dev/programming-guides/encoding).
"""

from __future__ import annotations

from functools import cache
from typing import Any

from phonoscope_serving.errors import InvalidRequest

MOST_FIELDS = 1000  # of a request, on all levels; the largest sound one has some 300
MOST_BYTES = 1 << 16  # of one field, unless it is sound; and of a request that holds no sound
VARINT, FIXED_64, DELIMITED, FIXED_32 = 0, 1, 2, 5
FIXED_BYTES = {FIXED_64: 8, FIXED_32: 4}

Descriptor = Any  # protobuf's, which ships without types


class _Walk:
    """Counts the fields of one request."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._fields = 0

    def message(self, descriptor: Descriptor, at: int, end: int) -> None:
        """The fields between two bytes, and those of messages in them."""
        known = descriptor.fields_by_number
        while at < end:
            self._fields += 1
            if self._fields > MOST_FIELDS:
                raise InvalidRequest.at("request", f"holds more than {MOST_FIELDS} fields; so many are accepted")
            tag, at = self._varint(at, end)
            at = self._field(known.get(tag >> 3), tag & 7, at, end)

    def _field(self, field: Descriptor, kind: int, at: int, end: int) -> int:
        if kind == VARINT:
            return self._varint(at, end)[1]
        if kind == DELIMITED:
            length, at = self._varint(at, end)
            if at + length > end:
                raise _malformed()
            if field is not None and field.message_type is not None:
                self.message(field.message_type, at, at + length)
            elif length > MOST_BYTES and (field is None or field.type != field.TYPE_BYTES):
                name = field.name if field is not None else "request"
                raise InvalidRequest.at(name, f"holds {length} bytes; at most {MOST_BYTES} are accepted")
            return at + length
        if kind not in FIXED_BYTES or at + FIXED_BYTES[kind] > end:
            raise _malformed()
        return at + FIXED_BYTES[kind]

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        value = shift = 0
        while at < end and shift < 70:
            byte = self._request[at]
            value |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                return value, at
        raise _malformed()


def check_fields(request: bytes, descriptor: Descriptor) -> None:
    """Refuses a request that would take far more room decoded than it takes as bytes.

    Args:
        request: as it came.
        descriptor: of its message.

    Raises:
        InvalidRequest: it holds too many fields, one that is too large, or is no message.
    """
    if len(request) > MOST_BYTES and not _may_hold_sound(descriptor):
        raise InvalidRequest.at("request", f"holds {len(request)} bytes; at most {MOST_BYTES} are accepted")
    _Walk(request).message(descriptor, 0, len(request))


@cache
def _may_hold_sound(descriptor: Descriptor) -> bool:
    """Whether a message has bytes in it, which only sound is: others need kilobytes."""
    return any(
        field.type == field.TYPE_BYTES or (field.message_type is not None and _may_hold_sound(field.message_type))
        for field in descriptor.fields
    )


def _malformed() -> InvalidRequest:
    return InvalidRequest.at("request", "cannot be decoded: it is no message of the contract")
