"""Measuring and cutting files of sound that are too long to be sent whole, by FFmpeg as the service reads them.

No seek is believed: packets are read from the first on, and only those around a cut are decoded. Time
stamps place a cut, to the sample where their container does not round them; Matroska rounds them to a millisecond.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream
from av.codec.context import Flags2
from av.container import InputContainer
from av.packet import Packet

from phonoscope_client.errors import invalid

Floats = npt.NDArray[np.float32]
Encoded = Path | bytes
StreamPacket: TypeAlias = "Packet[AudioStream]"  # no generic but to type checkers

_ERRORS = (av.FFmpegError, ValueError, OverflowError, MemoryError)
_OPTIONS = {
    "format_whitelist": "wav,w64,aiff,caf,mp3,aac,flac,ogg,mov,matroska",  # no playlist that names other files
    "protocol_whitelist": "",
    "err_detect": "crccheck",  # a damaged Ogg page is a gap, not noise
}
_ESTIMATED = ("mp3", "aac", "ogg")  # FFmpeg tells lengths by bit rates, or by the last page
_MOST_FAULTS = 100
_PREROLL_S = 1.0  # decoders of MP3 and Opus remember as much of what they heard before
_TOLERANCE_S = 0.015  # time stamps closer than this to where the last packet ended say that nothing is missing
_LEAST_MISSING_S = 0.02  # worth a warning
_LONGEST_REPEAT_S = 2.0  # further back they begin again: what follows is another recording
_LONGEST_GAP_S = 1200.0  # further ahead they are not believed
# Loudspeakers by FFmpeg's abbreviations, in the order of the bits of a WAV file's channel mask.
_MASK_SPEAKERS = (
    *("FL", "FR", "FC", "LFE", "BL", "BR", "FLC", "FRC", "BC", "SL", "SR"),
    *("TC", "TFL", "TFC", "TFR", "TBL", "TBC", "TBR"),
)


@dataclass(frozen=True)
class Length:
    """How long a file's sound is: samples of each channel, and how many a second."""

    samples: int
    sample_rate_hz: int

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.samples / self.sample_rate_hz


@dataclass(frozen=True, eq=False)  # arrays have no single truth value to compare by
class Cut:
    """A stretch of a file.

    Attributes:
        samples: `[N, C]` float32; 0 where sound is missing or damaged.
        sample_rate_hz: samples per second and channel.
        speaker_mask: where each channel is heard, as WAV files write it; 0 where nothing says it.
        missing: first sample that is missing or damaged, and the one after the last; None where there is none.
    """

    samples: Floats
    sample_rate_hz: int
    speaker_mask: int
    missing: tuple[int, int] | None


@dataclass(frozen=True, eq=False)
class Stretch:
    """Decoded sound `[N, C]` float32, the number of its first sample, and its loudspeakers as FFmpeg calls them."""

    first: int
    samples: Floats
    sample_rate_hz: int
    layout: str


def measure(encoded: Encoded, *, believed_s: float = 0.0) -> Length | None:
    """How long a file is; None where it holds no sound that can be read here.

    Args:
        encoded: path of the file, or its bytes.
        believed_s: a header that says at most so many seconds is believed, where it is no estimate.

    Raises:
        OSError: there is no such file, or it may not be read.
    """
    try:
        with _opened(encoded) as (container, stream):
            rate_hz = stream.codec_context.sample_rate
            said_s = (container.duration or 0) / av.time_base
            if 0 < said_s <= believed_s and container.format.name not in _ESTIMATED:
                return Length(round(said_s * rate_hz), rate_hz)
            return Length(max((end for _, _, end in _packets(container, stream)), default=0), rate_hz)
    except _ERRORS:
        return None


def cut(encoded: Encoded, start: int, stop: int) -> Cut:
    """Samples `start` to `stop` of a file that `measure` can measure.

    Raises:
        InvalidInputError: it cannot be decoded.
    """
    try:
        with _opened(encoded) as (container, stream):
            return _cut(container, stream, start, stop)
    except _ERRORS as error:
        raise invalid("audio", f"too large to be sent whole, and it cannot be cut: {error}") from error


def stretches(encoded: Encoded) -> Iterator[Stretch]:
    """All sound of a file, decoded as it is asked for; where some is missing, the next stretch lies further on.

    Raises:
        InvalidInputError: it holds no sound that can be read here.
    """
    try:
        with _opened(encoded) as (container, stream):
            decoder = stream.codec_context
            for at, piece in _pieces(container, stream, 0, None):
                yield Stretch(at, piece, decoder.sample_rate, decoder.layout.name)
    except _ERRORS as error:
        raise invalid("audio", f"it cannot be decoded: {error}") from error


@contextmanager
def _opened(encoded: Encoded) -> Iterator[tuple[InputContainer, AudioStream]]:
    """A file and the stream of it that is heard.

    Raises:
        ValueError: it holds none.
    """
    with (
        io.BytesIO(encoded) if isinstance(encoded, bytes) else encoded.open("rb") as file,
        av.open(file, "r", options=_OPTIONS, metadata_errors="replace") as container,
    ):
        stream = container.streams.best("audio")
        if not isinstance(stream, AudioStream) or not stream.codec_context or not stream.codec_context.sample_rate:
            raise ValueError("no audio stream")
        stream.codec_context.flags2 |= Flags2.skip_manual  # padding is left out here, once for measuring and cutting
        stream.codec_context.thread_count = 1  # a packet's frames come with it, not a few packets later
        yield container, stream


def _packets(container: InputContainer, stream: AudioStream) -> Iterator[tuple[StreamPacket, int, int]]:
    """Each packet with the first sample of its sound and the one after the last, by its time stamp.

    Padding before the recording has negative numbers. Where time stamps begin again, as in recordings that are joined,
    what follows is placed behind what came before.
    """
    rate_hz = stream.codec_context.sample_rate
    tick = float((stream.time_base or 1 / rate_hz) * rate_hz)
    origin, end = None, 0
    for packet in _demuxed(container, stream):
        length = round((packet.duration or 0) * tick)
        stamp = (origin or 0) + end if packet.pts is None else round(packet.pts * tick)
        if origin is None or not -_LONGEST_REPEAT_S <= (stamp - origin - end) / rate_hz <= _LONGEST_GAP_S:
            origin = stamp - (end - _padding(packet, stream, length))
        first = stamp - origin
        end = max(end, first + length)
        yield packet, first, first + length


def _demuxed(container: InputContainer, stream: AudioStream) -> Iterator[StreamPacket]:
    """The stream's packets; where the container makes no sense between them, reading goes on behind."""
    for _ in range(_MOST_FAULTS):
        try:
            yield from (packet for packet in container.demux(stream) if packet.size)
        except _ERRORS:
            continue
        return


def _padding(packet: StreamPacket, stream: AudioStream, length: int) -> int:
    """Samples at the start of a recording's first packet that are no sound; Vorbis' first packet is nothing else."""
    said = bytes(packet.get_sidedata("skip_samples")) if packet.has_sidedata("skip_samples") else b""
    skipped: int = struct.unpack_from("<I", said)[0] if len(said) >= 8 else 0
    return skipped or (length if stream.codec_context.name == "vorbis" else 0)


def _cut(container: InputContainer, stream: AudioStream, start: int, stop: int) -> Cut:
    rate_hz = stream.codec_context.sample_rate
    samples = np.zeros((stop - start, stream.codec_context.channels), np.float32)
    heard = np.zeros(stop - start, np.bool_)
    for at, piece in _pieces(container, stream, start, stop):
        begin, stopped = (min(max(start, place), stop) for place in (at, at + len(piece)))
        samples[begin - start : stopped - start] = piece[begin - at : stopped - at]
        heard[begin - start : stopped - start] = True
    silent = np.flatnonzero(~heard)
    missing = (int(silent[0]), int(silent[-1]) + 1) if len(silent) >= _LEAST_MISSING_S * rate_hz else None
    return Cut(samples, rate_hz, _speaker_mask(stream), missing)


def _pieces(
    container: InputContainer, stream: AudioStream, start: int, stop: int | None
) -> Iterator[tuple[int, Floats]]:
    """What can be decoded around samples `start` to `stop`, or from `start` on, with the number of its first sample."""
    decoder = stream.codec_context
    rate_hz, channels = decoder.sample_rate, decoder.channels
    as_floats = av.AudioResampler(format="flt")
    follows: int | None = None
    for packet, first, end in _packets(container, stream):
        if end <= start - _PREROLL_S * rate_hz:
            continue
        if stop is not None and first >= stop:
            break
        pieces = _decoded(packet, as_floats, channels, rate_hz)
        count = sum(map(len, pieces))
        at = end - count if decoder.name == "vorbis" else first  # of Vorbis packets the end is right
        if follows is not None and abs(first - follows) <= _TOLERANCE_S * rate_hz:
            at = follows
        for piece in pieces:
            yield at, piece
            at += len(piece)
        follows = at if pieces else None


def _decoded(packet: StreamPacket, as_floats: av.AudioResampler, channels: int, rate_hz: int) -> list[Floats]:
    """Samples `[N, C]` of a packet; none where it is damaged, or of another kind than the stream."""
    try:
        frames = [each for frame in packet.decode() for each in as_floats.resample(frame)]
        if any(frame.sample_rate != rate_hz or frame.layout.nb_channels != channels for frame in frames):
            return []
        return [np.asarray(frame.to_ndarray(), np.float32).reshape(-1, channels) for frame in frames]
    except _ERRORS:
        return []


def _speaker_mask(stream: AudioStream) -> int:
    names = [channel.name for channel in stream.codec_context.layout.channels]
    if len(names) == 1 or not set(names) <= set(_MASK_SPEAKERS):
        return 0
    return sum(1 << _MASK_SPEAKERS.index(name) for name in names)
