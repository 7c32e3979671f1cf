"""The sound of a track, whichever way it comes, as pieces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import replace

from phonoscope_serving.errors import DeadlinePassed, InvalidRequest
from phonoscope_serving.rpcs.call import Call
from phonoscope_serving.rpcs.track.excerpts import piece_s
from phonoscope_serving.rpcs.track.question import Encoded, Pcm, TrackQuestion
from phonoscope_serving.rpcs.track.reading import TrackPiece, track_pieces
from phonoscope_serving.sound.audio import LIMITS, EncodedAudio, Pause, Recording
from phonoscope_serving.sound.flowing.chunks import ChunkFile
from phonoscope_serving.sound.flowing.file import FileFlow
from phonoscope_serving.sound.flowing.flow import MonoFlow
from phonoscope_serving.sound.flowing.pcm import PcmFlow
from phonoscope_serving.sound.resampling import resampled

# Of a file that is read whole; what is longer is to come as a flow, of which nothing is kept.
WHOLE = replace(LIMITS, max_seconds=6 * 3600.0, max_packets=1 << 20, max_values=1 << 34)
FIELD = "chunk"


async def pieces_of(call: Call, question: TrackQuestion, chunks: AsyncIterator[bytes]) -> AsyncGenerator[TrackPiece]:
    """What reads a track piece by piece; see `Decoder.stream` and `Decoder.flow`.

    Args:
        call: what answers.
        question: how the sound comes, and from where on it is heard.
        chunks: the sound.

    Raises:
        InvalidRequest: a file is larger than it says.
        DeadlinePassed: it did not arrive in time.
    """
    front_end = call.listener.front_end
    first_frame, step_s = question.first_frame(call.listener), piece_s(call.listener)

    def from_file(recording: Recording) -> Iterator[TrackPiece]:
        parts = resampled(recording, front_end.sample_rate_hz)
        seconds = recording.samples / recording.sample_rate_hz
        return track_pieces(parts, front_end, first_frame, lambda: recording.warnings, seconds, step_s)

    def from_flow(file: ChunkFile, pause: Pause) -> Iterator[TrackPiece]:
        match question.sound:
            case Pcm(rate_hz, channels):
                flow = MonoFlow(PcmFlow(file, rate_hz, channels, FIELD, pause))
            case _:
                flow = MonoFlow(FileFlow(file, FIELD, pause))
        parts = flow.at_rate(front_end.sample_rate_hz)
        return track_pieces(parts, front_end, first_frame, lambda: flow.warnings, piece_s=step_s)

    match question.sound:
        case Encoded(size_bytes) if 0 < size_bytes <= LIMITS.max_bytes:
            content = await _whole(call, chunks, size_bytes)
            return call.stream(EncodedAudio(content), from_file, WHOLE)
    return call.flow(chunks, from_flow)


async def _whole(call: Call, chunks: AsyncIterator[bytes], size_bytes: int) -> bytes:
    """All chunks of a file that says how large it is."""
    held = bytearray()
    try:
        async with asyncio.timeout_at(call.deadline):
            async for chunk in chunks:
                held += chunk
                if len(held) > size_bytes:
                    said = f"the {size_bytes} bytes that settings.encoded.size_bytes says"
                    raise InvalidRequest.at(FIELD, f"goes on behind {said}")
    except TimeoutError:
        raise DeadlinePassed("the deadline passed while the sound was sent") from None
    if not held:
        raise InvalidRequest.at(FIELD, "is missing: the sound comes behind the settings")
    return bytes(held)
