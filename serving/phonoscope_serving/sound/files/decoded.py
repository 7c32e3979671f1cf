"""Decoded frames as float32 samples, one row a channel: many short frames as few long pieces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from av import AudioFifo, AudioResampler
from av.audio.frame import AudioFrame
from av.audio.plane import AudioPlane
from numpy.typing import NDArray

from phonoscope_serving.tensors import Floats

PIECE_SAMPLES = 1 << 14  # long enough that NumPy's calls cost nothing, short enough to stay in the processor's cache
_DTYPES = {"u8": "u1", "s16": "<i2", "s32": "<i4", "s64": "<i8", "flt": "<f4", "dbl": "<f8"}
_PLANES_AT_MOST = 7  # PyAV looks for one more plane than there are, and FFmpeg's own list ends behind the eighth

Piece = tuple[int, Floats]  # the sample it begins at, and its samples `[C, N]`


class Pieces:
    """Frames that follow each other, put together.

    FFmpeg does it for most codecs with less than a microsecond a frame; NumPy would take several.
    """

    def __init__(self, channels: int) -> None:
        """Holds nothing yet.

        Args:
            channels: of the stream; frames of another number give their mean in every channel.
        """
        self._channels = channels
        self._packed = AudioResampler(format="flt")
        self._held, self._kind = AudioFifo(), ("", 0)
        self._start = self._end = 0

    def add(self, at: int, frame: AudioFrame) -> Sequence[Piece]:
        """Takes a frame that begins at a sample; gives what is complete by it, mostly nothing."""
        kind = (frame.format.name, frame.layout.nb_channels)  # of which the queue does not check the second
        complete: tuple[Piece, ...] = ()
        if at != self._end or kind != self._kind:
            complete = self.rest()
            self._held, self._kind = AudioFifo(), kind
            self._start = self._end = at
        frame.pts = None  # the queue would hold it against its own count
        self._held.write(frame)
        self._end += frame.samples
        while self._end - self._start >= PIECE_SAMPLES:
            complete = (*complete, self._piece(PIECE_SAMPLES))
        return complete

    def rest(self) -> tuple[Piece, ...]:
        """What is left."""
        return (self._piece(self._end - self._start),) if self._end > self._start else ()

    def _piece(self, count: int) -> Piece:
        frame = self._held.read(count)
        assert frame is not None
        start = self._start
        self._start += count
        return start, self._rows(frame)

    def _rows(self, frame: AudioFrame) -> Floats:
        name, held = self._kind
        if name.endswith("p") and held > _PLANES_AT_MOST:
            (frame,) = self._packed.resample(frame)
            name = "flt"
        dtype, count = _DTYPES[name.removesuffix("p")], frame.samples
        if name.endswith("p"):
            rows = np.stack([_values(plane, dtype, count) for plane in frame.planes])
        else:
            rows = _values(frame.planes[0], dtype, count * held).reshape(count, held).T
        if held == self._channels:
            return rows
        return np.broadcast_to(np.mean(rows, axis=0, dtype=np.float32), (self._channels, count))


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
