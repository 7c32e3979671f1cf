"""Sound on its way to the service: what callers may hand in, and cutting what is too long to send."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from phonoscope.v1 import audio_pb2

from phonoscope_client.arguments import shown
from phonoscope_client.errors import FieldViolation, OutOfRangeError, invalid
from phonoscope_client.transport import decoding
from phonoscope_client.transport.samples import Samples, checked, pcm, wave

AudioInput = str | os.PathLike[str] | bytes | tuple[Samples, int]

MAX_BYTES = 64 * 2**20  # `Audio` in audio.proto, like the one below and MAX_CHANNELS
MAX_DURATION_S = 1200.0
# An excerpt is under two seconds; what lies beyond it is room for the service's resampler.
CONTEXT_S = 10
# A file may end in padding that is measured here and not heard there; how long it is there, the service says.
_PADDING_S = 0.25
_FORMS = "the path of a file, the bytes of one, or (samples, sample_rate_hz)"
_HEADER_BYTES = 2**10  # more than what stands before the samples of a message


@dataclass(frozen=True)
class Section:
    """A stretch of a recording, ready to be sent.

    Attributes:
        message: the sound.
        start_s: where it starts in the recording, in whole seconds.
        missing_s: where sound that could not be decoded here begins and ends, in seconds of the recording; None
            where there is none. The service hears silence there.
    """

    message: audio_pb2.Audio
    start_s: int = 0
    missing_s: tuple[float, float] | None = None


def whole(audio: AudioInput) -> audio_pb2.Audio:
    """The whole recording, as it is.

    Raises:
        InvalidInputError: it is missing, malformed, or longer than a service accepts.
    """
    source = _Source.of(audio)
    if source.excess(_PADDING_S):
        raise invalid("audio", f"{source.excess(_PADDING_S)}; shorten it, or encode it as FLAC, Ogg or MP3")
    return source.message()


def around(audio: AudioInput, at_s: float) -> Section:
    """As much of a recording as explaining `at_s` needs: all of it, unless a service accepts less.

    A cut begins on a whole second, so that the service's frames fall where they would have in the whole
    recording (for any whole number of frames and samples per second). Its channels are kept for the service to mix.

    Raises:
        InvalidInputError: the recording is missing or malformed.
        OutOfRangeError: the recording is too long to be sent whole and `at_s` lies outside it.
    """
    source = _Source.of(audio)
    if not source.excess():
        return Section(source.message())
    if not source.length:
        raise invalid("audio", f"{source.excess()}, and it is of no kind that can be cut here; shorten it")
    if not 0 <= at_s <= source.duration_s:
        description = f"{at_s:g} s lies outside the recording, which lasts {source.duration_s:.2f} s"
        raise OutOfRangeError(f"at_s: {description}", violations=[FieldViolation("at_s", description)])
    start_s = max(0, math.floor(at_s) - CONTEXT_S)
    return source.section(start_s, math.ceil(at_s) + CONTEXT_S)


@dataclass(frozen=True)
class _Source:
    """One of the forms of `AudioInput`, with what it takes to measure, cut and send it."""

    encoded: Path | bytes | None
    samples: Samples  # [N, C]; empty where encoded
    length: decoding.Length | None  # None where the file is of a kind only the service may know
    size_bytes: int

    @classmethod
    def of(cls, audio: AudioInput) -> _Source:
        if isinstance(audio, tuple):
            samples, sample_rate_hz = checked(audio)
            return cls(None, samples, decoding.Length(len(samples), sample_rate_hz), 4 * samples.size)
        encoded = readable(audio)
        try:
            size_bytes = len(encoded) if isinstance(encoded, bytes) else encoded.stat().st_size
            believed_s = MAX_DURATION_S if size_bytes <= MAX_BYTES else 0.0  # if it is wrong, the service says so
            length = decoding.measure(encoded, believed_s=believed_s) if size_bytes else None
        except OSError as error:
            raise invalid("audio", f"{os.fspath(audio)!r} cannot be read: {error.strerror}") from error
        if not size_bytes:
            raise invalid("audio", "the file is empty")
        return cls(encoded, np.empty((0, 1), np.float32), length, size_bytes)

    @property
    def duration_s(self) -> float:
        return self.length.samples / self.length.sample_rate_hz if self.length else 0.0

    def excess(self, slack_s: float = 0.0) -> str:
        """Which limit the recording breaks, in words; empty where it breaks none."""
        if self.size_bytes > MAX_BYTES:
            return f"{self.size_bytes / 2**20:.0f} MiB, of which a service accepts {MAX_BYTES // 2**20}"
        if self.duration_s > MAX_DURATION_S + slack_s:
            return f"{self.duration_s:.0f} s, of which a service accepts {MAX_DURATION_S:.0f}"
        return ""

    def message(self) -> audio_pb2.Audio:
        if self.encoded is None:
            return audio_pb2.Audio(pcm=pcm(self.samples, self.length.sample_rate_hz if self.length else 0))
        encoded = self.encoded if isinstance(self.encoded, bytes) else self.encoded.read_bytes()
        return audio_pb2.Audio(encoded=encoded)

    def section(self, start_s: int, stop_s: int) -> Section:
        """What lies between two whole seconds, its channels as they are where a message holds them."""
        length = self.length
        assert length is not None
        rate_hz = length.sample_rate_hz
        start, stop = start_s * rate_hz, min(stop_s * rate_hz, length.samples)
        if self.encoded is None:
            return Section(audio_pb2.Audio(pcm=pcm(_fitting(self.samples[start:stop]), rate_hz)), start_s)
        cut = decoding.cut(self.encoded, start, stop)
        missing_s = None
        if cut.missing:
            missing_s = (start_s + cut.missing[0] / rate_hz, start_s + cut.missing[1] / rate_hz)
        fitting = _fitting(cut.samples)
        mask = cut.speaker_mask if fitting is cut.samples else 0
        return Section(audio_pb2.Audio(encoded=wave(fitting, rate_hz, mask)), start_s, missing_s)


def _fitting(samples: Samples) -> Samples:
    """Samples `[N, C]` as they are, or the mean of their channels where a message does not hold all."""
    return samples if 4 * samples.size <= MAX_BYTES - _HEADER_BYTES else samples.mean(axis=1, keepdims=True)


def readable(audio: AudioInput) -> Path | bytes:
    """A file's bytes, or its path, where it is there.

    Raises:
        InvalidInputError: it is neither, or there is no such file.
    """
    if isinstance(audio, bytes):
        return audio
    if isinstance(audio, np.ndarray):
        raise invalid("audio", f"{shown(audio)}, without a sample rate; give (samples, sample_rate_hz)")
    if not isinstance(audio, str | os.PathLike):
        raise invalid("audio", f"{shown(audio)}; give {_FORMS}")
    path, name = Path(audio), f"{os.fspath(audio)!r}"
    try:
        if path.is_dir():
            raise invalid("audio", f"{name} is a folder; give {_FORMS}")
        if not path.is_file():
            raise invalid("audio", f"there is no file {name}")
    except OSError as error:
        raise invalid("audio", f"{name} cannot be read: {error.strerror}") from error
    return path
