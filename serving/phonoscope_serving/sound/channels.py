"""Sound with its channels still apart: what readers of files and of plain samples give, and mixing takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from phonoscope_serving.sound.audio import BLOCK_SAMPLES, Pause, PcmAudio, never
from phonoscope_serving.sound.warning import SoundWarning
from phonoscope_serving.tensors import Floats


class Channels(Protocol):
    """Sound that can be read from any sample."""

    @property
    def field(self) -> str:
        """The request's field it came from, for messages."""
        ...

    @property
    def sample_rate_hz(self) -> int:
        """Samples per second and channel."""
        ...

    @property
    def samples(self) -> int:
        """Samples of each channel."""
        ...

    @property
    def speakers(self) -> Sequence[str]:
        """Where each channel is to be heard, as FFmpeg abbreviates it: "FL", "FR", "FC", "LFE", "BL", …; "" unknown."""
        ...

    @property
    def are_floats(self) -> bool:
        """Whether samples were written as floating-point numbers: each may be anything."""
        ...

    @property
    def warnings(self) -> Sequence[SoundWarning]:
        """What is wrong with the file, as far as it was read."""
        ...

    def frames(self, start: int, stop: int, *, roughly: bool = False) -> Iterator[Floats]:
        """Float32 pieces `[C, N]` of at most `BLOCK_SAMPLES` that together hold samples `start` to `stop`.

        Args:
            start: first sample.
            stop: sample after the last.
            roughly: a few samples may be misplaced, or not what the whole gives, where that is faster.
        """
        ...


# What a number of channels means where nothing says it, in the order of a WAV file's channel mask.
USUAL_SPEAKERS: dict[int, Sequence[str]] = {
    1: ("FC",),
    2: ("FL", "FR"),
    6: ("FL", "FR", "FC", "LFE", "BL", "BR"),
    8: ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"),
}


def usual_speakers(channels: int) -> Sequence[str]:
    """Where so many channels are usually heard."""
    return USUAL_SPEAKERS.get(channels, ("",) * channels)


class PcmChannels:
    """Samples that are already there."""

    are_floats = True
    warnings: Sequence[SoundWarning] = ()

    def __init__(self, source: PcmAudio, field: str, pause: Pause = never) -> None:
        """Nothing is copied.

        Args:
            source: as it came.
            field: of the request, for messages.
            pause: called before each piece.
        """
        self._pause = pause
        self.field, self.sample_rate_hz = field, source.sample_rate_hz
        self._frames = np.frombuffer(source.samples, "<f4").reshape(-1, source.channels)
        self.samples = len(self._frames)
        self.speakers = usual_speakers(source.channels)

    def frames(self, start: int, stop: int, *, roughly: bool = False) -> Iterator[Floats]:  # noqa: ARG002 - the protocol's; nothing is faster here
        """See `Channels.frames`."""
        for first in range(start, stop, BLOCK_SAMPLES):
            self._pause()
            yield self._frames[first : min(stop, first + BLOCK_SAMPLES)].T
