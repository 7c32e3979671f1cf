"""Sound as callers hand it over, opened: any container, rate and channel count, read as mono blocks.

Nothing is decoded before it is asked for, and never more than a block at a time: a file that promises hours stops at
the limit, whatever it was compressed from.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import soundfile

from phonoscope_serving.errors import InvalidRequest
from phonoscope_serving.tensors import Floats

BLOCK_SAMPLES = 1 << 16
CONTAINERS = frozenset({"WAV", "WAVEX", "RF64", "FLAC", "OGG", "MP3", "MPEG"})
# A writer that cannot seek leaves "unknown" as the length of a WAV file: all ones, or nearly so.
UNKNOWN_LENGTH_BYTES = 0x7FFF0000


@dataclass(frozen=True)
class AudioLimits:
    """What is taken on; the contract states the same numbers."""

    max_bytes: int = 64 << 20
    max_seconds: float = 1200.0
    max_channels: int = 32
    min_sample_rate_hz: int = 4_000
    max_sample_rate_hz: int = 384_000
    max_peak: float = 1000.0  # 60 dB above full scale; integers handed over as if they were floats lie beyond


LIMITS = AudioLimits()


@dataclass(frozen=True)
class EncodedAudio:
    """A whole file: WAV, FLAC, Ogg Vorbis, Ogg Opus or MP3."""

    content: bytes


@dataclass(frozen=True)
class PcmAudio:
    """Interleaved little-endian float32 samples."""

    samples: bytes
    sample_rate_hz: int
    channels: int


AudioSource = EncodedAudio | PcmAudio


class Recording(Protocol):
    """An opened source."""

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

    def blocks(self, start: int, stop: int) -> Iterator[Floats]:
        """Mono float32 blocks that together hold samples `start` to `stop`, each checked.

        Raises:
            InvalidRequest: a sample is not finite or far too large, or the recording ends early or cannot be decoded.
        """
        ...


def open_recording(source: AudioSource, field: str = "audio", limits: AudioLimits = LIMITS) -> Recording:
    """Opens a source and checks what its header says.

    Args:
        source: the sound as it came.
        field: path of the request's field that holds it.
        limits: what is taken on.

    Raises:
        InvalidRequest: it is empty, not audio, cut short, or outside a limit.
    """
    recording: Recording = (
        _PcmRecording(source, f"{field}.pcm.samples", limits)
        if isinstance(source, PcmAudio)
        else _FileRecording(source, f"{field}.encoded", limits)
    )
    if recording.samples == 0:
        raise InvalidRequest.at(recording.field, "holds no samples")
    seconds = recording.samples / recording.sample_rate_hz
    if seconds > limits.max_seconds:
        raise InvalidRequest.at(
            recording.field, f"lasts {seconds:.1f} s; at most {limits.max_seconds:g} s are accepted"
        )
    return recording


class _PcmRecording:
    """Samples that are already there."""

    def __init__(self, source: PcmAudio, field: str, limits: AudioLimits) -> None:
        self.field, self.sample_rate_hz, self._limits = field, source.sample_rate_hz, limits
        self._frames = np.frombuffer(source.samples, "<f4").reshape(-1, source.channels)
        self.samples = len(self._frames)

    def blocks(self, start: int, stop: int) -> Iterator[Floats]:
        """See `Recording.blocks`."""
        for first in range(start, stop, BLOCK_SAMPLES):
            frames = self._frames[first : min(stop, first + BLOCK_SAMPLES)]
            yield _checked(_mono(frames), self.field, self._limits)


class _FileRecording:
    """A file in memory, decoded by libsndfile."""

    def __init__(self, source: EncodedAudio, field: str, limits: AudioLimits) -> None:
        self.field, self._limits = field, limits
        try:
            self._file = soundfile.SoundFile(io.BytesIO(source.content))
        except (soundfile.SoundFileError, ValueError) as error:
            raise InvalidRequest.at(field, f"is not audio that can be read: {_reason(error)}") from error
        self.sample_rate_hz: int = self._file.samplerate
        self.samples: int = self._file.frames
        self._check_header()

    def _check_header(self) -> None:
        limits = self._limits
        if self._file.format not in CONTAINERS:
            raise InvalidRequest.at(
                self.field, f"is {self._file.format}; WAV, FLAC, Ogg Vorbis, Ogg Opus and MP3 are accepted"
            )
        if not limits.min_sample_rate_hz <= self.sample_rate_hz <= limits.max_sample_rate_hz:
            raise InvalidRequest.at(
                self.field,
                f"has a sample rate of {self.sample_rate_hz} Hz; {limits.min_sample_rate_hz} to "
                f"{limits.max_sample_rate_hz} Hz are accepted",
            )
        if self._file.channels > limits.max_channels:
            raise InvalidRequest.at(
                self.field, f"has {self._file.channels} channels; at most {limits.max_channels} are accepted"
            )
        # libsndfile shortens a cut WAV file without a word; only its log tells.
        cut = re.search(r"data\s*: (\d+) \(should be (\d+)\)", self._file.extra_info)
        if cut and int(cut[2]) < int(cut[1]) < UNKNOWN_LENGTH_BYTES:
            raise InvalidRequest.at(
                self.field, f"is cut short: its header promises {cut[1]} bytes of samples, it holds {cut[2]}"
            )

    def blocks(self, start: int, stop: int) -> Iterator[Floats]:
        """See `Recording.blocks`."""
        try:
            self._file.seek(start)
            for first in range(start, stop, BLOCK_SAMPLES):
                wanted = min(stop - first, BLOCK_SAMPLES)
                frames = self._file.read(wanted, dtype="float32", always_2d=True)
                if len(frames) < wanted:
                    self._refuse_cut(first + len(frames))
                yield _checked(_mono(frames), self.field, self._limits)
        except soundfile.SoundFileError as error:
            raise InvalidRequest.at(self.field, f"cannot be decoded: {_reason(error)}") from error

    def _refuse_cut(self, samples: int) -> None:
        promised_s, held_s = self.samples / self.sample_rate_hz, samples / self.sample_rate_hz
        raise InvalidRequest.at(
            self.field, f"is cut short: its header promises {promised_s:.3f} s, it ends after {held_s:.3f} s"
        )


def _mono(frames: Floats) -> Floats:
    """The mean of the channels, `[N, C]` to `[N]`."""
    return frames[:, 0] if frames.shape[1] == 1 else frames.mean(axis=1, dtype=np.float32)


def peak(samples: Floats) -> float:
    """The largest magnitude; NaN where a sample is NaN, 0 where there is none."""
    return max(float(samples.max()), -float(samples.min())) if samples.size else 0.0


def _checked(mono: Floats, field: str, limits: AudioLimits) -> Floats:
    if not peak(mono) <= limits.max_peak:  # so written, NaN is refused too
        raise InvalidRequest.at(
            field, f"holds a sample that is not finite or beyond ±{limits.max_peak:g}; samples lie in [-1, 1]"
        )
    return mono


def _reason(error: Exception) -> str:
    """What libsndfile says, without the Python object it said it of."""
    return str(getattr(error, "error_string", error)).strip().removeprefix("Error : ").rstrip(".")
