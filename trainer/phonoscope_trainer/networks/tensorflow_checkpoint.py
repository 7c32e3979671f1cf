"""Reads the arrays of a TensorFlow checkpoint with NumPy alone: TensorFlow itself is not needed.

A checkpoint is two files. `NAME.index` is a sorted table (LevelDB's format: blocks of entries whose keys share what
they begin with, then an index of the blocks, then a footer), whose values are messages of `tensor_bundle.proto`: type,
shape, offset and size. `NAME.data-00000-of-00001` holds the bytes, row by row.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phonoscope_trainer.errors import CheckpointError

MAGIC = bytes.fromhex("57fb808b247547db")
FOOTER_BYTES = 48
TRAILER_BYTES = 5  # of a block: how it is compressed, and its checksum
FLOAT32 = 1  # of types.proto; optimisers' counters have others, and are no weights
VARINT, BYTES, FIXED32 = 0, 2, 5  # wire types of protocol buffers


def read_checkpoint(folder: Path, name: str = "") -> dict[str, NDArray[np.float32]]:
    """The float32 arrays of the checkpoint called `name`, which may be nothing, in a folder.

    Raises:
        CheckpointError: the files are missing, or not such a checkpoint.
    """
    try:
        table = (folder / f"{name}.index").read_bytes()
        data = (folder / f"{name}.data-00000-of-00001").read_bytes()
        return {key: array for key, value in _entries(table) if key and (array := _array(value, data)) is not None}
    except (OSError, ValueError, IndexError) as error:
        raise CheckpointError(f"{folder}: no TensorFlow checkpoint in one piece: {error}") from error


def _entries(table: bytes) -> Iterator[tuple[str, bytes]]:
    if not table.endswith(MAGIC):
        raise ValueError("the index ends without the mark of its format")
    at = len(table) - FOOTER_BYTES
    for _ in range(2):  # where the metadata is, which is not read
        _, at = _varint(table, at)
    for _, handle in _block(table, *_handle(table, at)):
        yield from ((key.decode(), value) for key, value in _block(table, *_handle(handle, 0)))


def _handle(data: bytes, at: int) -> tuple[int, int]:
    """Offset and size of a block."""
    offset, at = _varint(data, at)
    return offset, _varint(data, at)[0]


def _block(table: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values; the block ends with a list of where keys are written whole, and how many there are."""
    if table[offset + size]:
        raise ValueError("its blocks are compressed")
    block = table[offset : offset + size]
    end = len(block) - 4 * (1 + int.from_bytes(block[-4:], "little"))
    at, key = 0, b""
    while at < end:
        shared, at = _varint(block, at)
        own, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + own]
        at += own
        yield key, block[at : at + length]
        at += length


def _array(value: bytes, data: bytes) -> NDArray[np.float32] | None:
    """The array that a `BundleEntryProto` speaks of; None of another type than float32."""
    found = dict(_fields(value))
    if found.get(1) != FLOAT32:
        return None
    if found.get(3, 0):
        raise ValueError("it is in several pieces")
    shape_message = found.get(2, b"")
    assert isinstance(shape_message, bytes)
    shape = [int(dict(_fields(size)).get(1, 0)) for _, size in _fields(shape_message) if isinstance(size, bytes)]
    offset, size = (int(found.get(field, 0)) for field in (4, 5))
    if 4 * int(np.prod(shape)) != size or offset + size > len(data):
        raise ValueError(f"an array of {shape} is said to have {size} bytes at {offset} of {len(data)}")
    return np.frombuffer(data, "<f4", size // 4, offset).reshape(shape)


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Numbers and values of a protocol buffer's fields."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == VARINT:
            value, at = _varint(message, at)
            yield number, value
        elif wire == BYTES:
            length, at = _varint(message, at)
            yield number, message[at : at + length]
            at += length
        elif wire == FIXED32:
            yield number, int.from_bytes(message[at : at + 4], "little")
            at += 4
        else:
            raise ValueError(f"a field of wire type {wire}")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A whole number of seven bits a byte, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
