"""Sound on its way to the service: what callers may hand in, and cutting what is too long to send."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from phonoscope.v1 import audio_pb2

from phonoscope_client.arguments import shown
from phonoscope_client.errors import FieldViolation, InvalidInputError, OutOfRangeError, invalid
from phonoscope_client.transport import decoding
from phonoscope_client.transport.decoding import Length
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
    source = _source(audio)
    if excess := _excess(source, _PADDING_S):
        raise invalid("audio", f"{excess}; shorten it, or encode it as FLAC, Ogg or MP3")
    return source.message()


def around(audio: AudioInput, at_s: float) -> Section:
    """As much of a recording as explaining `at_s` needs: all of it, unless a service accepts less.

    A cut begins on a whole second, so that the service's frames fall where they would have in the whole
    recording (for any whole number of frames and samples per second). Its channels are kept for the service to mix.

    Raises:
        InvalidInputError: the recording is missing or malformed.
        OutOfRangeError: the recording is too long to be sent whole and `at_s` lies outside it.
    """
    source = _source(audio)
    excess, length = _excess(source), source.length
    if not excess:
        return Section(source.message())
    if not length:
        raise invalid("audio", f"{excess}, and it is of no kind that can be cut here; shorten it")
    if not 0 <= at_s <= length.seconds:
        description = f"{at_s:g} s lies outside the recording, which lasts {length.seconds:.2f} s"
        raise OutOfRangeError(f"at_s: {description}", violations=[FieldViolation("at_s", description)])
    start_s, stop_s = max(0, math.floor(at_s) - CONTEXT_S), math.ceil(at_s) + CONTEXT_S
    rate_hz = length.sample_rate_hz
    return source.section(start_s, start_s * rate_hz, min(stop_s * rate_hz, length.samples))


def readable(audio: object) -> Path | bytes:
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
    path = Path(os.fsdecode(audio))
    try:
        if path.is_dir():
            raise invalid("audio", f"{str(path)!r} is a folder; give {_FORMS}")
        if not path.is_file():
            raise invalid("audio", f"there is no file {os.fsdecode(audio)!r}")
    except OSError as error:
        raise _unreadable(path, error) from error
    return path


@dataclass(frozen=True)
class _Pcm:
    """Samples of a caller's own: `[N, C]`, a second of `sample_rate_hz`."""

    samples: Samples
    sample_rate_hz: int

    @property
    def size_bytes(self) -> int:
        return 4 * self.samples.size

    @property
    def length(self) -> Length:
        return Length(len(self.samples), self.sample_rate_hz)

    def message(self) -> audio_pb2.Audio:
        return audio_pb2.Audio(pcm=pcm(self.samples, self.sample_rate_hz))

    def section(self, start_s: int, start: int, stop: int) -> Section:
        """Samples `start` to `stop`, the first of which is at `start_s`."""
        return Section(audio_pb2.Audio(pcm=pcm(_fitting(self.samples[start:stop]), self.sample_rate_hz)), start_s)


@dataclass(frozen=True)
class _File:
    """A file, by its path or its bytes; without a length where only the service may know its kind."""

    encoded: Path | bytes
    size_bytes: int
    length: Length | None

    def message(self) -> audio_pb2.Audio:
        return audio_pb2.Audio(encoded=self.encoded if isinstance(self.encoded, bytes) else self.encoded.read_bytes())

    def section(self, start_s: int, start: int, stop: int) -> Section:
        """Samples `start` to `stop`, the first of which is at `start_s`, decoded."""
        cut = decoding.cut(self.encoded, start, stop)
        fitting, rate_hz = _fitting(cut.samples), cut.sample_rate_hz
        mask = cut.speaker_mask if fitting is cut.samples else 0
        first, end = cut.missing or (0, 0)
        missing_s = (start_s + first / rate_hz, start_s + end / rate_hz) if cut.missing else None
        return Section(audio_pb2.Audio(encoded=wave(fitting, rate_hz, mask)), start_s, missing_s)


def _source(audio: AudioInput) -> _Pcm | _File:
    if isinstance(audio, tuple):
        return _Pcm(*checked(audio))
    encoded = readable(audio)
    try:
        size_bytes = len(encoded) if isinstance(encoded, bytes) else encoded.stat().st_size
        if not size_bytes:
            raise invalid("audio", "the file is empty")
        believed_s = MAX_DURATION_S if size_bytes <= MAX_BYTES else 0.0  # if it is wrong, the service says so
        return _File(encoded, size_bytes, decoding.measure(encoded, believed_s=believed_s))
    except OSError as error:
        raise _unreadable(encoded, error) from error


def _excess(source: _Pcm | _File, slack_s: float = 0.0) -> str:
    """Which limit a recording breaks, in words; empty where it breaks none."""
    if source.size_bytes > MAX_BYTES:
        return f"{source.size_bytes / 2**20:.0f} MiB, of which a service accepts {MAX_BYTES // 2**20}"
    if source.length and source.length.seconds > MAX_DURATION_S + slack_s:
        return f"{source.length.seconds:.0f} s, of which a service accepts {MAX_DURATION_S:.0f}"
    return ""


def _fitting(samples: Samples) -> Samples:
    """Samples `[N, C]` as they are, or the mean of their channels where a message does not hold all."""
    return samples if 4 * samples.size <= MAX_BYTES - _HEADER_BYTES else samples.mean(axis=1, keepdims=True)


def _unreadable(path: object, error: OSError) -> InvalidInputError:
    return invalid("audio", f"{str(path)!r} cannot be read: {error.strerror}")
