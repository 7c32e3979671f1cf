"""Plain samples that come in chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from phonoscope_serving.errors import InvalidRequest
from phonoscope_serving.sound.audio import BLOCK_SAMPLES, Pause
from phonoscope_serving.sound.channels import usual_speakers
from phonoscope_serving.sound.flowing.chunks import ChunkFile
from phonoscope_serving.sound.warning import SoundWarning
from phonoscope_serving.tensors import Floats

SAMPLE_BYTES = 4


class PcmFlow:
    """Interleaved little-endian float32 samples; a `Flow`."""

    are_floats = True
    warnings: Sequence[SoundWarning] = ()

    def __init__(self, file: ChunkFile, sample_rate_hz: int, channels: int, field: str, pause: Pause) -> None:
        """Reads nothing yet.

        Args:
            file: the chunks; samples may lie across two.
            sample_rate_hz: samples per second and channel.
            channels: how many are interleaved.
            field: of the request, for messages.
            pause: called before each piece.
        """
        self.field, self.sample_rate_hz, self.speakers = field, sample_rate_hz, usual_speakers(channels)
        self._file, self._channels, self._pause = file, channels, pause

    def pieces(self) -> Iterator[Floats]:
        """See `Flow.pieces`."""
        frame_bytes = SAMPLE_BYTES * self._channels
        left = b""
        while read := self._file.read(BLOCK_SAMPLES * frame_bytes):
            self._pause()
            held = left + read if left else read
            whole = len(held) // frame_bytes * frame_bytes
            left = held[whole:]
            if whole:
                yield np.frombuffer(held, "<f4", whole // SAMPLE_BYTES).reshape(-1, self._channels).T
        if left:
            raise InvalidRequest.at(
                self.field, f"ends within a sample: {len(left)} bytes are left of {frame_bytes} for all channels"
            )
