"""The sound of a whole track on its way to the service: in chunks, of which only the next is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from phonoscope.v1 import track_pb2

from phonoscope_client.arguments import whole_number
from phonoscope_client.errors import invalid
from phonoscope_client.transport.audio import AudioInput, readable
from phonoscope_client.transport.samples import Samples, checked, pcm

TrackInput = AudioInput | Iterable[bytes]
CHUNK_BYTES = 1 << 20  # as much as is accepted: each costs a turn of whatever else its sender does
_MOST_BYTES = 1 << 62


@dataclass(frozen=True)
class Flowing:
    """Sound that is sent in chunks.

    Attributes:
        settings: how it comes.
        chunks: gives them, from the start.
    """

    settings: track_pb2.TrackSettings
    chunks: Callable[[], Iterator[bytes]]


def flowing(audio: TrackInput, size_bytes: int | None = None) -> Flowing:
    """What a caller hands in, in chunks.

    Args:
        audio: as for `Client.explain_track`.
        size_bytes: of what comes in chunks; None where nobody knows.

    Raises:
        InvalidInputError: it is missing or malformed.
    """
    if isinstance(audio, tuple):
        samples, rate_hz = checked(audio)
        stream = track_pb2.PcmStream(sample_rate_hz=rate_hz, channels=samples.shape[1])
        return Flowing(track_pb2.TrackSettings(pcm=stream), lambda: _of_samples(samples, rate_hz))
    if isinstance(audio, Iterable) and not isinstance(audio, str | bytes) and not hasattr(audio, "dtype"):
        said = 0 if size_bytes is None else whole_number("size_bytes", size_bytes, 1, _MOST_BYTES)
        coming = track_pb2.TrackSettings(encoded=track_pb2.EncodedStream(size_bytes=said))
        return Flowing(coming, lambda: _of_chunks(audio))
    if size_bytes is not None:
        raise invalid("size_bytes", "is for chunks of a file alone; leave it out")
    file = readable(audio)
    size_bytes = len(file) if isinstance(file, bytes) else file.stat().st_size
    if not size_bytes:
        raise invalid("audio", "the file is empty")
    known = track_pb2.TrackSettings(encoded=track_pb2.EncodedStream(size_bytes=size_bytes))
    return Flowing(known, lambda: _of_file(file))


def _of_file(file: Path | bytes) -> Iterator[bytes]:
    if isinstance(file, bytes):
        yield from _cut(file)
        return
    try:
        with file.open("rb") as opened:
            while chunk := opened.read(CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise invalid("audio", f"{str(file)!r} cannot be read: {error.strerror}") from error


def _of_chunks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        if not isinstance(chunk, bytes | bytearray | memoryview):
            raise invalid("audio", f"a chunk is {type(chunk).__name__}; give bytes")
        yield from _cut(bytes(chunk))


def _of_samples(samples: Samples, sample_rate_hz: int) -> Iterator[bytes]:
    rows = max(1, CHUNK_BYTES // (4 * samples.shape[1]))
    for first in range(0, len(samples), rows):
        yield pcm(samples[first : first + rows], sample_rate_hz).samples


def _cut(content: bytes) -> Iterator[bytes]:
    for first in range(0, len(content), CHUNK_BYTES):
        yield content[first : first + CHUNK_BYTES]
