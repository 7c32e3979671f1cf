"""Decoded frames as float32 samples, one row a channel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from av import AudioResampler
from av.audio.frame import AudioFrame
from av.audio.plane import AudioPlane
from numpy.typing import NDArray

from phonoscope_serving.tensors import Floats

Rows = Sequence[NDArray[Any]] | Floats  # `[C][N]` float32
_DTYPES = {"u8": "u1", "s16": "<i2", "s32": "<i4", "s64": "<i8", "flt": "<f4", "dbl": "<f8"}
_PLANES_AT_MOST = 7  # PyAV looks for one more plane than there are, and FFmpeg's own list ends behind the eighth


def rows_of(channels: int) -> Callable[[AudioFrame], Rows | None]:
    """What makes rows of frames; frames of another number of channels give their mean in every values.

    Args:
        channels: of the stream; a frame that cannot be read gives None.
    """
    packed = AudioResampler(format="flt")

    def rows(frame: AudioFrame) -> Rows | None:
        name = frame.format.name
        planar = name.endswith("p")
        held = frame.layout.nb_channels
        if planar and held > _PLANES_AT_MOST:
            (frame,) = packed.resample(frame)
            name, planar = "flt", False
        dtype = _DTYPES.get(name.removesuffix("p"))
        if dtype is None:
            return None
        count = frame.samples
        planes = [_values(plane, dtype, count if planar else count * held) for plane in frame.planes]
        read: Rows = planes if planar else planes[0].reshape(count, held).T
        return read if held == channels else [np.asarray(np.mean(read, axis=0, dtype=np.float32))] * channels

    return rows


def _values(plane: AudioPlane, dtype: str, count: int) -> Floats:
    values: NDArray[Any] = np.frombuffer(plane, dtype, count)  # type: ignore[call-overload]  # it is a buffer; its stub does not say so
    return values if dtype == "<f4" else _scaled(values)


def _scaled(values: NDArray[Any]) -> Floats:
    """Numbers of any size on the scale of [-1, 1]."""
    if values.dtype.kind == "f":
        with np.errstate(over="ignore"):  # what is beyond any scale is refused by whoever reads it
            return values.astype(np.float32)
    if values.dtype.kind == "u":
        return (values.astype(np.float32) - np.float32(128)) / np.float32(128)
    return np.asarray(np.multiply(values, np.float32(2.0 ** (1 - 8 * values.dtype.itemsize)), dtype=np.float32))
