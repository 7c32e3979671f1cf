"""Sound on its way to the service: what callers may hand in, and cutting what is too long to send."""

from __future__ import annotations

import io
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
from phonoscope.v1 import audio_pb2

from phonoscope_client.errors import FieldViolation, OutOfRangeError, invalid

Samples = npt.NDArray[np.floating[Any]]
AudioInput = str | os.PathLike[str] | bytes | tuple[Samples, int]

MAX_BYTES = 64 * 2**20  # `Audio` in audio.proto, like the two below
MAX_DURATION_S = 1200.0
MAX_CHANNELS = 32
# An excerpt is under two seconds; what lies beyond it is room for the service's resampler.
CONTEXT_S = 10


@dataclass(frozen=True)
class Section:
    """A stretch of a recording, ready to be sent.

    Attributes:
        message: the sound.
        start_s: where it starts in the recording, in whole seconds.
    """

    message: audio_pb2.Audio
    start_s: int


def whole(audio: AudioInput) -> audio_pb2.Audio:
    """The whole recording, as it is.

    Raises:
        InvalidInputError: it is missing, malformed, or longer than a service accepts.
    """
    source = _Source.of(audio)
    if source.excess:
        raise invalid("audio", f"{source.excess}; shorten it, or encode it as FLAC, Ogg or MP3")
    return source.message()


def around(audio: AudioInput, at_s: float) -> Section:
    """As much of a recording as explaining `at_s` needs: all of it, unless a service accepts less.

    A cut begins on a whole second, so that the service's frames fall where they would have in the whole
    recording (for any whole number of frames and samples per second). It is mono, as the service makes it.

    Raises:
        InvalidInputError: the recording is missing or malformed.
        OutOfRangeError: the recording is too long to be sent whole and `at_s` lies outside it.
    """
    source = _Source.of(audio)
    if not source.excess:
        return Section(source.message(), 0)
    if not 0 <= at_s <= source.duration_s:
        description = f"{at_s:g} s lies outside the recording, which lasts {source.duration_s:.2f} s"
        raise OutOfRangeError(f"at_s: {description}", violations=[FieldViolation("at_s", description)])
    start_s = max(0, math.floor(at_s) - CONTEXT_S)
    samples, sample_rate_hz = source.read(start_s, min(math.ceil(at_s) + CONTEXT_S, source.duration_s))
    return Section(_pcm(samples.mean(axis=1), sample_rate_hz), start_s)


@dataclass(frozen=True)
class _Source:
    """One of the forms of `AudioInput`, with what it takes to measure, cut and send it."""

    encoded: Path | bytes | None
    samples: Samples  # [N, C]; empty where encoded
    sample_rate_hz: int  # 0 where the file is of a kind only the service may know
    frames: int
    size_bytes: int

    @classmethod
    def of(cls, audio: AudioInput) -> _Source:
        if isinstance(audio, tuple):
            samples, sample_rate_hz = _checked(*audio)
            return cls(None, samples, sample_rate_hz, len(samples), 4 * samples.size)
        encoded = audio if isinstance(audio, bytes) else Path(audio)
        if isinstance(encoded, Path) and not encoded.is_file():
            raise invalid("audio", f"there is no file {os.fspath(encoded)!r}")
        size_bytes = len(encoded) if isinstance(encoded, bytes) else encoded.stat().st_size
        if not size_bytes:
            raise invalid("audio", "the file is empty")
        sample_rate_hz, frames = _measured(encoded)
        return cls(encoded, np.empty((0, 1), np.float32), sample_rate_hz, frames, size_bytes)

    @property
    def duration_s(self) -> float:
        return self.frames / self.sample_rate_hz if self.sample_rate_hz else 0.0

    @property
    def excess(self) -> str:
        """Which limit the recording breaks, in words; empty where it breaks none."""
        if self.size_bytes > MAX_BYTES:
            return f"{self.size_bytes / 2**20:.0f} MiB, of which a service accepts {MAX_BYTES // 2**20}"
        if self.duration_s > MAX_DURATION_S:
            return f"{self.duration_s:.0f} s, of which a service accepts {MAX_DURATION_S:.0f}"
        return ""

    def message(self) -> audio_pb2.Audio:
        if self.encoded is None:
            return _pcm(self.samples, self.sample_rate_hz)
        encoded = self.encoded if isinstance(self.encoded, bytes) else self.encoded.read_bytes()
        return audio_pb2.Audio(encoded=encoded)

    def read(self, start_s: int, stop_s: float) -> tuple[Samples, int]:
        """The `[N, C]` samples of a section that starts on a whole second, and their rate."""
        rate = self.sample_rate_hz
        start, stop = start_s * rate, min(math.ceil(stop_s * rate), self.frames)
        if self.encoded is None:
            return self.samples[start:stop], rate
        try:
            with soundfile.SoundFile(_opened(self.encoded)) as file:
                file.seek(start)
                return file.read(stop - start, dtype="float32", always_2d=True), rate
        except soundfile.LibsndfileError as error:
            raise invalid("audio", f"too large to be sent whole, and it cannot be cut: {error}") from error


def _checked(samples: Samples, sample_rate_hz: int) -> tuple[Samples, int]:
    """The samples as `[N, C]`, where they are of a kind that can be sent."""
    samples = np.asarray(samples)
    if not np.issubdtype(samples.dtype, np.floating):
        raise invalid("samples", f"{samples.dtype} values; give floating point, nominally in [-1, 1]")
    if samples.ndim not in {1, 2} or (samples.ndim == 2 and not 1 <= samples.shape[1] <= MAX_CHANNELS):
        expected = f"[samples] or [samples, channels] with 1 to {MAX_CHANNELS} channels"
        raise invalid("samples", f"shape {samples.shape}; give {expected}")
    if not 0 < int(sample_rate_hz) < 2**32:
        raise invalid("sample_rate_hz", f"{sample_rate_hz}; give a positive number")
    return samples.reshape(len(samples), -1), int(sample_rate_hz)


def _pcm(samples: Samples, sample_rate_hz: int) -> audio_pb2.Audio:
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    data = np.ascontiguousarray(samples, "<f4").tobytes()
    pcm = audio_pb2.PcmAudio(samples=data, sample_rate_hz=sample_rate_hz, channels=channels)
    return audio_pb2.Audio(pcm=pcm)


def _measured(encoded: Path | bytes) -> tuple[int, int]:
    """Sample rate and length in samples; zeros where it cannot be told here, and the service is to judge."""
    try:
        found = soundfile.info(_opened(encoded))
    except (soundfile.LibsndfileError, TypeError):  # TypeError: headerless, as soundfile takes ".raw" to be
        return 0, 0
    # libsndfile's word for a length the header does not tell is the largest count there is.
    return (found.samplerate, found.frames) if found.frames < 2**62 else (0, 0)


def _opened(encoded: Path | bytes) -> str | io.BytesIO:
    return io.BytesIO(encoded) if isinstance(encoded, bytes) else os.fspath(encoded)
