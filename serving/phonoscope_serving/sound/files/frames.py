"""MP3 and AAC without a container: the place of frames in the file says when they are heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phonoscope_serving.errors import InvalidRequest
from phonoscope_serving.sound.audio import AudioLimits
from phonoscope_serving.sound.files import mpeg
from phonoscope_serving.sound.files.container import ACCEPTED, OpenedFile, StreamPacket
from phonoscope_serving.sound.files.packets import Stream, forgets, padding
from phonoscope_serving.sound.files.parts import following
from phonoscope_serving.sound.files.timeline import Integers, placed, trimmed

_CHAINED = 0.5  # of frames that another follows at once; fewer, and they are chance
_SURE = 8  # frames that follow each other are no chance
_HEADER_BYTES = 7  # of AAC; those of MPEG audio are shorter
_NEIGHBOURS = 64  # frames around a gap, whose size says how many are missing
_FIRM = 3  # frames of another sample rate, one behind the other, that are no mistake
_FOUND_BY_BYTES = 16  # of a packet, by which it is found in its file


@dataclass(frozen=True)
class _Frames:
    """Frames that are sound, and where they lie."""

    packets: Sequence[StreamPacket]
    at: Integers  # bytes into the file
    headers: mpeg.FrameHeaders

    def only(self, which: Integers) -> _Frames:
        """Some of them."""
        said = self.headers
        headers = mpeg.FrameHeaders(said.sample_rate_hz[which], said.samples[which], said.length[which])
        return _Frames([self.packets[frame] for frame in which.tolist()], self.at[which], headers)


def is_frames_only(file: OpenedFile) -> bool:
    """Whether a file is nothing but frames."""
    return file.container.format.name in ("mp3", "aac")


def framed(
    file: OpenedFile, packets: Sequence[StreamPacket], content: bytes, field: str, limits: AudioLimits
) -> Stream:
    """The stream of a file that is frames only.

    Args:
        file: which holds the packets.
        packets: all that FFmpeg took for frames.
        content: the file.
        field: of the request, for messages.
        limits: what is taken on.

    Raises:
        InvalidRequest: what was taken for frames is chance.
    """
    frames, ends_at = _of_one_rate(_sound(file, packets, content))
    follow = _follow(frames)
    if ends_at is None and len(frames.at):
        ends_at = following(content, _sure_end(frames), _reader(file))
    if not len(frames.at) or (ends_at is None and len(follow) and follow.mean() < _CHAINED):
        raise InvalidRequest.at(
            field, f"is not audio that can be read: no frames of MP3 or AAC follow each other; {ACCEPTED}"
        )
    is_mpeg = file.container.format.name == "mp3"
    samples = frames.headers.samples if is_mpeg else np.full(len(frames.at), file.decoder.frame_size or 1024)
    lost = _lost_frames(frames, content) * samples
    follows = np.cumsum(samples + lost) - (samples + lost)
    exact = forgets(file.decoder.name)
    timeline = placed(follows.astype(np.float64), samples, file.decoder.sample_rate, limits.max_seconds, exact=exact)
    skipped, discarded = padding(file, frames.packets, timeline)
    if is_mpeg:  # FFmpeg does not tell it where frames are missing
        promised = mpeg.promised_frames(content)
        complete = promised is not None and timeline.samples >= promised * samples[0]
        discarded = mpeg.end_padding(content) if complete else 0
    is_cut = _is_cut(file, frames, content)
    return Stream(frames.packets, trimmed(timeline, skipped, discarded), ends_at, is_cut)


def _sound(file: OpenedFile, packets: Sequence[StreamPacket], content: bytes) -> _Frames:
    """Packets that begin with a header and are as long as it says."""
    view = np.frombuffer(content, np.uint8)
    read = _reader(file)
    sizes = np.array([packet.size for packet in packets])
    at = np.array([-1 if packet.pos is None else packet.pos for packet in packets], np.int64)
    headers = read(view, at)
    if (headers.sample_rate_hz == 0).any():
        at = _found(packets, content)
        headers = read(view, at)
    free = headers.length == 0  # free format: headers do not say how long frames are; among others it is chance
    whole = (headers.length == sizes) | (free & (free.mean() > _CHAINED))
    whole[-1] |= headers.length[-1] > sizes[-1]  # what is there of the last frame of a file that was cut
    whole &= headers.sample_rate_hz > 0
    headers = mpeg.FrameHeaders(headers.sample_rate_hz, headers.samples, sizes)
    return _Frames(packets, at, headers).only(np.flatnonzero(whole))


def _reader(file: OpenedFile) -> mpeg.HeaderReader:
    return mpeg.frame_headers if file.container.format.name == "mp3" else mpeg.adts_headers


def _follow(frames: _Frames) -> NDArray[np.bool_]:
    """Whether each frame but the first begins where the one before ends."""
    ends: Integers = frames.at + frames.headers.length
    return np.asarray(frames.at[1:] == ends[:-1])


def _sure_end(frames: _Frames) -> int:
    """The byte behind the last frames that follow each other; what was taken for frames behind them may be chance."""
    last, others = len(frames.at) - 1, min(_SURE, len(frames.at)) - 1
    if others:
        chained = np.flatnonzero(np.convolve(_follow(frames), np.ones(others), "valid") == others)
        last = int(chained[-1]) + others if chained.size else last
    return int(frames.at[last] + frames.headers.length[last])


def _is_cut(file: OpenedFile, frames: _Frames, content: bytes) -> bool:
    """Whether a file ends in the middle of a frame."""
    last_at, end = frames.at[-1:], int(frames.at[-1] + frames.headers.length[-1])
    said = int(_reader(file)(np.frombuffer(content, np.uint8), last_at).length[0])
    return last_at[0] + said > len(content) or (
        content[end:].startswith(b"\xff") and len(content) - end < _HEADER_BYTES
    )


def _found(packets: Sequence[StreamPacket], content: bytes) -> Integers:
    """Where packets lie, searched: behind what is no sound, FFmpeg's own count goes wrong."""
    places, end = [], 0
    for packet in packets:
        place = content.find(bytes(packet)[:_FOUND_BY_BYTES], end)
        places.append(place)
        end = place + packet.size if place >= 0 else end
    return np.array(places, np.int64)


def _of_one_rate(frames: _Frames) -> tuple[_Frames, int | None]:
    """Frames of the first frame's sample rate, up to where another rate begins, and the byte where it does."""
    rates = frames.headers.sample_rate_hz
    other = rates != rates[:1]
    if not other.any():
        return frames, None
    alike = (rates[1:] == rates[:-1]) & _follow(frames)
    firm = np.flatnonzero(other[: 1 - _FIRM] & alike[:-1] & alike[1:])
    end = int(firm[0]) if len(firm) else len(rates)
    ends_at = int(frames.at[end]) if len(firm) else None
    return frames.only(np.flatnonzero(~other[:end])), ends_at


def _lost_frames(frames: _Frames, content: bytes) -> Integers:
    """Frames that are missing behind each, from the bytes between it and the next.

    Where the first frame counts all of them, and the bytes agree, the count is right and decides.
    """
    lengths = frames.headers.length
    lost = mpeg.lost_bytes(content, frames.at, lengths)
    behind = np.flatnonzero(lost)
    count = np.zeros(len(lost), np.int64)
    if not len(behind):
        return count
    around = [lengths[max(0, frame - _NEIGHBOURS) : frame + _NEIGHBOURS].mean() for frame in behind.tolist()]
    estimated = lost[behind] / np.array(around)
    promised = mpeg.promised_frames(content)
    if promised is not None:
        missing = max(0, promised - len(lengths))
        if missing <= 1.25 * estimated.sum() + 2:
            estimated = estimated * (missing / estimated.sum())
    count[behind] = np.diff(np.rint(np.cumsum(estimated)), prepend=0)
    return count
