"""Sound as callers hand it over, what of it is taken on, and what an opened recording is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from phonoscope_serving.errors import InvalidRequest
from phonoscope_serving.sound.warning import SoundWarning
from phonoscope_serving.tensors import Floats

BLOCK_SAMPLES = 1 << 16

Pause = Callable[[], None]  # called between two pieces of work; may wait, or raise


def never() -> None:
    """The pause of whoever reads alone."""


@dataclass(frozen=True)
class AudioLimits:
    """What is taken on; the contract states the same numbers."""

    max_bytes: int = 64 << 20
    max_seconds: float = 1200.0
    max_channels: int = 32
    min_sample_rate_hz: int = 4_000
    max_sample_rate_hz: int = 384_000
    max_peak: float = 1000.0  # 60 dB above full scale; integers handed over as if they were floats lie beyond
    max_packets: int = 250_000  # of compressed sound in one file; 20 minutes of packets of 5 ms
    max_packet_bytes: int = 8 << 20  # of one packet: what it decodes to is in memory at once
    max_parts: int = 64  # recordings joined in one file
    max_values: int = 1 << 30  # samples of all channels together: 20 minutes of 18 channels at 48 kHz

    def check_format(self, sample_rate_hz: int, channels: int, field: str) -> None:
        """Refuses sample rates and numbers of channels that are not taken on.

        Raises:
            InvalidRequest: one is outside its limit.
        """
        least_hz, most_hz = self.min_sample_rate_hz, self.max_sample_rate_hz
        if not least_hz <= sample_rate_hz <= most_hz:
            raise InvalidRequest.at(
                field, f"has a sample rate of {sample_rate_hz} Hz; {least_hz} to {most_hz} Hz are accepted"
            )
        if not 1 <= channels <= self.max_channels:
            raise InvalidRequest.at(field, f"has {channels} channels; at most {self.max_channels} are accepted")

    def check_values(self, samples: int, channels: int, field: str) -> None:
        """Refuses recordings whose decoding takes too long.

        Raises:
            InvalidRequest: they hold more samples than the limit.
        """
        if samples * channels > self.max_values:
            limit = self.max_values
            raise InvalidRequest.at(
                field, f"holds {samples} samples of {channels} channels; at most {limit} are accepted of all together"
            )

    def check_length(self, seconds: float, field: str) -> None:
        """Refuses recordings that last longer than is taken on.

        Raises:
            InvalidRequest: it does.
        """
        if seconds > self.max_seconds:
            raise InvalidRequest.at(field, f"lasts {seconds:.1f} s; at most {self.max_seconds:g} s are accepted")


LIMITS = AudioLimits()


@dataclass(frozen=True)
class EncodedAudio:
    """A whole file, in any container and codec that `files.container` lists."""

    content: bytes


@dataclass(frozen=True)
class PcmAudio:
    """Interleaved little-endian float32 samples."""

    samples: bytes
    sample_rate_hz: int
    channels: int


AudioSource = EncodedAudio | PcmAudio


def digest(source: AudioSource) -> bytes:
    """SHA-256 of the sound as it came."""
    if isinstance(source, EncodedAudio):
        return hashlib.sha256(source.content).digest()
    return hashlib.sha256(f"{source.sample_rate_hz} {source.channels} ".encode() + source.samples).digest()


class Recording(Protocol):
    """An opened source, heard as one channel."""

    @property
    def field(self) -> str:
        """The request's field it came from, for messages."""
        ...

    @property
    def sample_rate_hz(self) -> int:
        """Samples per second."""
        ...

    @property
    def samples(self) -> int:
        """How many there are."""
        ...

    @property
    def warnings(self) -> tuple[SoundWarning, ...]:
        """What is wrong with it as far as it was read: what opening tells at once, damage as reading meets it."""
        ...

    def blocks(self, start: int, stop: int) -> Iterator[Floats]:
        """Mono float32 blocks that together hold samples `start` to `stop`; each sample is finite.

        Any section equals the same samples of the whole; what is missing or damaged is silent, and warned of.

        Raises:
            InvalidRequest: it cannot be decoded.
        """
        ...


def peak(samples: Floats) -> float:
    """The largest magnitude; NaN where a sample is NaN, 0 where there is none."""
    return max(float(samples.max()), -float(samples.min())) if samples.size else 0.0


def is_within(samples: Floats, limit: float) -> bool:
    """Whether every sample is a number of at most that magnitude; one pass over memory for any usual sound."""
    values = samples.ravel(order="K")
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(values.dot(values) <= limit * limit) or peak(samples) <= limit  # a NaN is never less
