"""Files opened by FFmpeg, through PyAV: only containers and codecs of sound, only from memory."""

from __future__ import annotations

import ctypes
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from typing import Protocol, TypeAlias

import av
import av._core
import av.logging
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.codec.context import Flags2
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard

from phonoscope_serving.errors import InvalidRequest
from phonoscope_serving.sound.audio import AudioLimits
from phonoscope_serving.sound.channels import usual_speakers

ACCEPTED = "WAV, FLAC, MP3, AAC, MP4, Ogg, AIFF, CAF, W64, Matroska and WebM are accepted"
_DEMUXERS = ("wav", "w64", "aiff", "caf", "mp3", "aac", "flac", "ogg", "mov", "matroska")
_PCM = ("s16", "s24", "s32", "s64", "u16", "u24", "u32", "f32", "f64")
_DECODERS = frozenset(
    {
        *(
            "mp1",
            "mp1float",
            "mp2",
            "mp2float",
            "mp3",
            "mp3float",
            "aac",
            "ac3",
            "eac3",
            "alac",
            "flac",
            "vorbis",
            "opus",
        ),
        *("gsm", "gsm_ms", "g726", "g726le", "adpcm_ms", "adpcm_ima_wav", "adpcm_ima_qt", "adpcm_yamaha"),
        *("pcm_u8", "pcm_s8", "pcm_alaw", "pcm_mulaw"),
        *(f"pcm_{samples}{order}" for samples in _PCM for order in ("le", "be")),
    }
)
_OPTIONS = {
    "format_whitelist": ",".join(_DEMUXERS),
    "codec_whitelist": ",".join(sorted(_DECODERS)),
    "protocol_whitelist": "",  # no file of this machine, nothing from the network
    "err_detect": "crccheck",  # a damaged Ogg page is a gap, not noise
    "max_streams": "64",
}
_UNDECODED = {"max_samples": "1"}  # of a frame: FFmpeg gives decoding up where it would decode to know the codec
_SIZED = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")  # boxes that MP4 and QuickTime files begin with
_SHORT_FRAMES = ("mp", "aac", "ac3", "eac3")  # decoders of these go on through a packet that holds many
_MOST_SHORT_BYTES = 1 << 16  # of a packet of such a codec: frames of 48 channels are shorter
_OPEN_TIMEOUT_S = 10.0
_LARGEST_ALLOCATION_BYTES = 64 << 20  # as large as the largest file: headers claim chunks of gigabytes
_MOST_FAULTS = 100  # places between packets where a container makes no sense
StreamPacket: TypeAlias = "Packet[AudioStream]"  # no generic but to type checkers
ERRORS = (av.FFmpegError, ValueError, OverflowError, MemoryError)


@dataclass(frozen=True)
class OpenedFile:
    """A container, and the stream of it that is heard."""

    container: InputContainer
    stream: AudioStream
    audio_streams: int

    @property
    def decoder(self) -> AudioCodecContext:
        """The stream's decoder; what a codec's start and end are padded with is decoded, too."""
        return self.stream.codec_context

    @property
    def speakers(self) -> Sequence[str]:
        """Where each channel is heard."""
        names = [channel.name for channel in self.decoder.layout.channels]
        return usual_speakers(len(names)) if "NONE" in names or len(names) == 1 else names

    def packets(self, at_most: int) -> list[StreamPacket]:
        """The stream's packets, undecoded; what lies between and cannot be told apart is passed over.

        Args:
            at_most: packets beyond these are left.
        """
        packets: list[StreamPacket] = []
        for _ in range(_MOST_FAULTS):
            try:
                packets.extend(islice(self.container.demux(self.stream), at_most - len(packets)))
            except ERRORS:
                continue
            break
        return [packet for packet in packets if packet.size]


class Readable(Protocol):
    """What PyAV reads a file from."""

    def read(self, most_bytes: int, /) -> bytes:
        """The next bytes."""
        ...


def most_bytes(codec: str, limits: AudioLimits) -> int:
    """How large a packet may be."""
    return _MOST_SHORT_BYTES if codec.startswith(_SHORT_FRAMES) else limits.max_packet_bytes


def check_packets(content: bytes, field: str, limits: AudioLimits) -> None:
    """Refuses packets that are too large, before any is decoded: FFmpeg decodes some when it opens a file.

    Args:
        content: the file; only containers that say how large packets are can hold such.
        field: of the request, for messages.
        limits: what is taken on.

    Raises:
        InvalidRequest: it holds one.
    """
    if content[4:8] not in _SIZED and not content.startswith((b"\x1a\x45\xdf\xa3", b"caff")):
        return
    largest = limit = 0
    with suppress(*ERRORS), av.open(io.BytesIO(content), "r", options=_OPTIONS | _UNDECODED) as container:
        stream = container.streams.best("audio")
        decoder = stream.codec_context if isinstance(stream, AudioStream) else None
        if decoder is not None:
            limit = most_bytes(decoder.name, limits)
            largest = max((packet.size for packet in islice(container.demux(stream), limits.max_packets)), default=0)
    if largest > limit:
        raise InvalidRequest.at(field, f"holds a packet of {largest} bytes; at most {limit} are accepted")


@contextmanager
def open_file(content: bytes, field: str, limits: AudioLimits) -> Iterator[OpenedFile]:
    """Opens a file and checks what its header says; nothing is decoded but what FFmpeg decodes to know the codec.

    Closed at the end of the `with` block, since a container lies in a ring of references that would keep the whole file
    until Python looks for such rings. Its packets and its decoder are good for longer.

    Args:
        content: the file.
        field: of the request, for messages.
        limits: what is taken on.

    Raises:
        InvalidRequest: it is not sound, holds none, or is outside a limit.
    """
    try:
        container = av.open(
            io.BytesIO(content), "r", options=_OPTIONS, metadata_errors="replace", timeout=_OPEN_TIMEOUT_S
        )
    except ERRORS as error:
        raise InvalidRequest.at(field, f"is not audio that can be read: {_reason(error)}; {ACCEPTED}") from error
    with container:
        yield _main_stream(container, field, limits)


def open_forward(file: Readable, field: str, limits: AudioLimits) -> OpenedFile:
    """Opens a file that is read forward only; its container is the caller's to close.

    Args:
        file: gives its bytes.
        field: of the request, for messages.
        limits: what is taken on.

    Raises:
        InvalidRequest: it is not sound, holds none, is outside a limit, or cannot be read forward.
    """
    try:
        container = av.open(file, "r", options=_OPTIONS, metadata_errors="replace")
    except ERRORS as error:
        reason = f"is not audio that can be read as it comes: {_reason(error)}; {ACCEPTED}"
        raise InvalidRequest.at(field, f"{reason}, MP4 with its index first") from error
    try:
        return _main_stream(container, field, limits)
    except BaseException:
        container.close()
        raise


def _main_stream(container: InputContainer, field: str, limits: AudioLimits) -> OpenedFile:
    try:
        stream = container.streams.best("audio")
    except ERRORS as error:
        raise InvalidRequest.at(field, f"is not audio that can be read: {_reason(error)}; {ACCEPTED}") from error
    if not isinstance(stream, AudioStream):
        raise InvalidRequest.at(field, f"holds no audio stream; {ACCEPTED}")
    decoder = stream.codec_context
    if decoder is None or decoder.name not in _DECODERS:
        name = stream.codec_context.name if decoder else "an unknown codec"
        raise InvalidRequest.at(field, f"holds {name}, which is not accepted; {ACCEPTED}")
    limits.check_format(decoder.sample_rate, decoder.channels, field)
    for other in container.streams:
        if other.index != stream.index:
            other.discard = Discard.all
    decoder.thread_count = 1  # files are decoded side by side, each in one thread
    decoder.flags2 |= Flags2.skip_manual
    decoder.options = {"err_detect": "crccheck+explode"} if decoder.name == "flac" else {}
    return OpenedFile(container, stream, len(container.streams.audio))


def _reason(error: Exception) -> str:
    """What FFmpeg says, without the Python object it said it of."""
    if isinstance(error, av.error.ArgumentError):
        return "its container is none that is known here"
    return str(getattr(error, "strerror", error)).lower()


def _restrain() -> None:
    """Settings of FFmpeg for the whole process: it is silent, and allocates no more at once than any sound needs."""
    av.logging.set_level(None)
    limit = getattr(ctypes.CDLL(av._core.__file__), "av_max_alloc", None)  # PyAV has no call of its own
    if limit is not None:  # Windows finds no functions of the libraries that a library needs
        limit.argtypes, limit.restype = [ctypes.c_size_t], None
        limit(_LARGEST_ALLOCATION_BYTES)


_restrain()
