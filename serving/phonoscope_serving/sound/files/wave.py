"""WAV files: what their header says, whether it is right, and plain samples of them read by libsndfile.

libsndfile is exact, reads from any sample at once, and is faster there than FFmpeg. Writers that cannot seek leave the
length of samples 0 or all ones, others are stopped before they correct it: what follows the header is sound then, for
as far as it goes.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import soundfile

from phonoscope_serving.errors import InvalidRequest
from phonoscope_serving.sound.audio import BLOCK_SAMPLES, Pause, never
from phonoscope_serving.sound.channels import usual_speakers
from phonoscope_serving.sound.files.boxes import MOST
from phonoscope_serving.sound.warning import SoundWarning, WarningKind
from phonoscope_serving.tensors import Floats

PCM, FLOAT, A_LAW, MU_LAW, G721, EXTENSIBLE = 0x0001, 0x0003, 0x0006, 0x0007, 0x0040, 0xFFFE
READ_HERE = frozenset({PCM, FLOAT, A_LAW, MU_LAW, G721})  # FFmpeg takes G.721 for G.726
UNKNOWN_BYTES = 0x7FFF0000  # all ones, or nearly so: a length that was never filled in
STRAY_S = 0.05  # bytes behind the samples that are no chunk are sound from this length on
_CHUNKS = frozenset({b"LIST", b"id3 ", b"ID3 ", b"bext", b"fact", b"cue ", b"smpl", b"PEAK", b"JUNK", b"RIFF", b"RF64"})
_MASK_SPEAKERS = (
    *("FL", "FR", "FC", "LFE", "BL", "BR", "FLC", "FRC", "BC", "SL", "SR"),
    *("TC", "TFL", "TFC", "TFR", "TBL", "TBC", "TBR"),
)


@dataclass(frozen=True)
class WaveHeader:
    """The parts of a WAV file that matter here."""

    format_tag: int  # that of the samples, looked up behind EXTENSIBLE
    channels: int
    sample_rate_hz: int
    speakers: tuple[str, ...] | None  # of each channel, where the header says it
    bytes_per_second: int
    format_chunk: bytes
    start: int  # of the samples, bytes into the file
    promised_bytes: int | None  # of samples; None where the length was never filled in
    held_bytes: int  # of samples that are there
    big_endian: bool

    @property
    def samples_at_fault(self) -> bool:
        """Whether the header's length of the samples is not what is there."""
        return self.promised_bytes != self.held_bytes


def is_wave(content: bytes) -> bool:
    """Whether a file begins as WAV does: RIFF, RIFX or RF64."""
    return content[:4] in (b"RIFF", b"RIFX", b"RF64") and content[8:12] == b"WAVE"


def read_header(content: bytes) -> WaveHeader | None:
    """What the header of a WAV file says; None where it names no format or no samples."""
    order = ">" if content[:4] == b"RIFX" else "<"
    at, chunk_format, long_bytes = 12, b"", None
    for _ in range(MOST):
        if at + 8 > len(content):
            break
        name, (size,) = content[at : at + 4], struct.unpack_from(order + "I", content, at + 4)
        if name == b"data":
            return _header(content, chunk_format, at + 8, long_bytes if size == 0xFFFFFFFF else size, order)
        if name == b"fmt ":
            chunk_format = content[at + 8 : at + 8 + min(size, 64)]
        elif name == b"ds64" and size >= 16 and at + 24 <= len(content):
            (long_bytes,) = struct.unpack_from("<Q", content, at + 16)
        at += 8 + size + size % 2
    return None


def mended(content: bytes) -> bytes:
    """A file as it is, or, if it is a WAV file whose header is wrong about its samples, with a header that is right."""
    header = read_header(content) if is_wave(content) else None
    return corrected(content, header) if header and header.samples_at_fault else content


def corrected(content: bytes, header: WaveHeader) -> bytes:
    """The same samples behind a header that says how long they are."""
    order = ">" if header.big_endian else "<"
    held = content[header.start : header.start + header.held_bytes]
    chunk_format = header.format_chunk + bytes(len(header.format_chunk) % 2)
    size = 4 + 8 + len(chunk_format) + 8 + len(held)
    return b"".join(
        (
            struct.pack(order + "4sI4s", b"RIFX" if header.big_endian else b"RIFF", size, b"WAVE"),
            struct.pack(order + "4sI", b"fmt ", len(header.format_chunk)),
            chunk_format,
            struct.pack(order + "4sI", b"data", len(held)),
            held,
        )
    )


def cut_short(header: WaveHeader, held_s: float) -> Iterator[SoundWarning]:
    """Warns of a WAV file whose header promises other samples than it holds; an unknown length promises nothing.

    Args:
        header: the file's.
        held_s: how long the sound in it lasts.
    """
    promised, held = header.promised_bytes, header.held_bytes
    if promised is None or promised == held:
        return
    sentence = (
        f"The header promises {promised} bytes of samples, {held} are there: all of them, {held_s:.3f} s, are heard."
    )
    yield SoundWarning(WarningKind.TRUNCATED, held_s, held_s, sentence)


class WaveFile:
    """An opened WAV file."""

    def __init__(self, content: bytes, header: WaveHeader, field: str, pause: Pause = never) -> None:
        """Reads the header only.

        Args:
            content: the file.
            header: what `read_header` makes of it; its format is one of `READ_HERE`.
            field: of the request, for messages.
            pause: called before each piece is decoded.

        Raises:
            InvalidRequest: libsndfile does not take it.
        """
        self.field, self._pause = field, pause
        self._content = corrected(content, header) if header.samples_at_fault else content
        self._seeks = header.format_tag != G721
        self._at = 0  # sample that libsndfile gives next
        try:
            self._file = self._opened()
        except (soundfile.SoundFileError, ValueError) as error:
            raise InvalidRequest.at(field, f"is not audio that can be read: {_reason(error)}") from error
        self.sample_rate_hz: int = self._file.samplerate
        self.samples: int = self._file.frames
        self.speakers: Sequence[str] = header.speakers or usual_speakers(self._file.channels)
        self.are_floats = header.format_tag == FLOAT
        self.warnings = tuple(cut_short(header, self.samples / self.sample_rate_hz))

    def frames(self, start: int, stop: int, *, roughly: bool = False) -> Iterator[Floats]:  # noqa: ARG002 - the protocol's; nothing is faster here
        """See `Channels.frames`."""
        try:
            self._go_to(start)
            for first in range(start, stop, BLOCK_SAMPLES):
                yield self._next(min(stop - first, BLOCK_SAMPLES)).T
        except soundfile.SoundFileError as error:
            raise InvalidRequest.at(self.field, f"cannot be decoded: {_reason(error)}") from error

    def _opened(self) -> soundfile.SoundFile:
        return soundfile.SoundFile(io.BytesIO(self._content))

    def _go_to(self, start: int) -> None:
        """Makes a sample the next; codecs that depend on all that came before are read up to it."""
        if self._seeks:
            self._file.seek(start)
            return
        if start < self._at:
            self._file, self._at = self._opened(), 0
        while self._at < start:
            self._next(min(start - self._at, BLOCK_SAMPLES))

    def _next(self, count: int) -> Floats:
        self._pause()
        self._at += count
        return np.asarray(self._file.read(count, dtype="float32", always_2d=True))


def _header(content: bytes, chunk: bytes, start: int, promised: int | None, order: str) -> WaveHeader | None:
    if len(chunk) < 16:
        return None
    tag, channels, rate_hz, bytes_per_second = struct.unpack_from(order + "HHII", chunk)
    speakers = None
    if tag == EXTENSIBLE and len(chunk) >= 26:
        mask, tag = struct.unpack_from(order + "IH", chunk, 20)
        named = tuple(name for bit, name in enumerate(_MASK_SPEAKERS) if mask >> bit & 1)
        speakers = named if len(named) == channels else None
    following = len(content) - start
    if promised is not None and UNKNOWN_BYTES <= promised <= 0xFFFFFFFF and promised > following:
        promised = None
    held = following if promised is None or promised > following else promised
    if following - held > bytes_per_second * STRAY_S and not _chunk_follows(content, start + held, order):
        held = following
    return WaveHeader(tag, channels, rate_hz, speakers, bytes_per_second, chunk, start, promised, held, order == ">")


def _chunk_follows(content: bytes, at: int, order: str) -> bool:
    """Whether the file ends there, but for padding, or another chunk or file begins."""
    for place in (at, at + at % 2):
        rest = content[place : place + 8]
        if len(rest) < 8:
            return True
        name, (size,) = rest[:4], struct.unpack(order + "I", rest[4:])
        fits = size <= len(content) - place - 8
        if name in _CHUNKS or (fits and all(32 <= letter < 127 for letter in name)):
            return True
    return not any(content[at:])


def _reason(error: Exception) -> str:
    """What libsndfile says, without the Python object it said it of."""
    return str(getattr(error, "error_string", error)).strip().removeprefix("Error : ").rstrip(".")
