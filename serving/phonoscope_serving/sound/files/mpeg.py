"""Frame headers of MPEG audio (ISO/IEC 11172-3 and 13818-3) and of AAC in ADTS (13818-7), many at a time.

An MP3 file is frames one after another and nothing else: no length, no time stamps. Where frames are missing, only
their place in the file says for how long.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phonoscope_serving.sound.files.boxes import places

Bytes = NDArray[np.uint8]
Integers = NDArray[np.int64]

_RATES_HZ = np.array([44100, 48000, 32000, 0])
_RATE_DIVISORS = np.array([4, 1, 2, 1])  # by version: 2.5, reserved, 2, 1
_KBPS = np.zeros((2, 4, 16), np.int64)  # by version 1 or not, layer bits (1 is III, 2 is II, 3 is I), index
_KBPS[1, 3, 1:15] = [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448]
_KBPS[1, 2, 1:15] = [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384]
_KBPS[1, 1, 1:15] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]
_KBPS[0, 3, 1:15] = [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256]
_KBPS[0, 2, 1:15] = _KBPS[0, 1, 1:15] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]
_ADTS_RATES_HZ = np.array(
    [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350, 0, 0, 0]
)

DECODER_DELAY = 529  # samples: of every decoder of layer III
_NEAR_BYTES, _FAR_BYTES = 1 << 14, 4 << 20  # how far into a file its first frame is looked for
_TABLES = (b"Xing", b"Info", b"VBRI")
_TABLE_AT = (36, 21, 13)  # bytes into a frame: behind header and side information of two channels or one, MPEG 1 or 2
_NOT_SOUND = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN", b"3DI")  # tags lie between frames, and stand for no time


@dataclass(frozen=True)
class FrameHeaders:
    """What headers say, one of each for every place asked for."""

    sample_rate_hz: Integers  # 0 where there is no header
    samples: Integers
    length: Integers  # bytes, header included; 0 where it is not said


HeaderReader = Callable[[Bytes, Integers], FrameHeaders]  # of the headers at some places of a file


def frame_headers(content: Bytes, at: Integers) -> FrameHeaders:
    """Reads MPEG audio headers.

    Args:
        content: the file.
        at: where headers are expected; beyond the end there is none.
    """
    word = _word(content, at)
    version, layer = word >> 19 & 3, word >> 17 & 3
    valid = (word >> 21 == 0x7FF) & (version != 1) & (layer != 0) & (word >> 12 & 15 != 15)
    rate_hz = np.where(valid, _RATES_HZ[word >> 10 & 3] // _RATE_DIVISORS[version], 0)
    samples = np.where(layer == 3, 384, np.where((layer == 1) & (version != 3), 576, 1152))
    kbps = _KBPS[(version == 3).astype(int), layer, word >> 12 & 15]
    slot = np.where(layer == 3, 4, 1)  # layer I counts in words
    length = (samples // (8 * slot) * 1000 * kbps // np.maximum(rate_hz, 1) + (word >> 9 & 1)) * slot
    return FrameHeaders(rate_hz, samples, np.where((rate_hz > 0) & (kbps > 0), length, 0))


def adts_headers(content: Bytes, at: Integers) -> FrameHeaders:
    """Reads the headers of AAC frames; their samples are those of one frame without band replication.

    Args:
        content: the file.
        at: where headers are expected; beyond the end there is none.
    """
    word = _word(content, at)
    valid = (word >> 20 == 0xFFF) & (word >> 17 & 3 == 0)
    rate_hz = np.where(valid, _ADTS_RATES_HZ[word >> 10 & 15], 0)
    length = ((word & 3) << 11) + (_word(content, at + 3) >> 13 & 0x7FF)
    return FrameHeaders(rate_hz, np.full(len(at), 1024), np.where(rate_hz > 0, length, 0))


def first_frame(content: Bytes, *readers: HeaderReader) -> int | None:
    """Where frames begin: the first of three that follow each other; None where there are none.

    Args:
        content: the file.
        readers: each reads headers of one kind of frames.
    """
    for searched_bytes in (_NEAR_BYTES, _FAR_BYTES):
        searched = content[:searched_bytes]
        at = np.flatnonzero((searched[:-1] == 0xFF) & (searched[1:] >= 0xE2))
        chained = [_chained(content, at, read) for read in readers]
        first = [int(at[each.argmax()]) for each in chained if each.any()]
        if first:
            return min(first)
    return None


def _chained(content: Bytes, at: Integers, read: HeaderReader) -> NDArray[np.bool_]:
    """At which places a frame begins that two more follow."""
    first = headers = read(content, at)
    place, chained = at, headers.length > 0
    for _ in range(2):
        place = place + headers.length
        headers = read(content, place)
        chained &= (headers.sample_rate_hz == first.sample_rate_hz) & (headers.samples == first.samples)
        chained &= headers.length > 0
    return chained


def frames_with_tables(content: bytes) -> list[int]:
    """Where frames lie that hold a Xing, Info or VBRI table in place of sound: the first of each recording."""
    tables = np.array(sorted(place for name in _TABLES for place in places(name, content)), np.int64)
    view = np.frombuffer(content, np.uint8)
    found: set[int] = set()
    for before in _TABLE_AT:
        at = tables[tables >= before] - before
        found.update(at[frame_headers(view, at).length > before].tolist())
    return sorted(found)


def promised_frames(content: bytes) -> int | None:
    """Frames that the table in the first frame counts, itself not among them; None where it counts none."""
    for before in _TABLE_AT:
        table = content[before : before + 12]
        if table[:4] in (b"Xing", b"Info") and table[7] & 1:
            return int.from_bytes(table[8:12], "big")
    if content[36:40] == b"VBRI":
        return int.from_bytes(content[50:54], "big")
    return None


def end_padding(content: bytes) -> int:
    """Samples that an encoder added at the end, as the first frame says (LAME's tag); 0 where it does not.

    A decoder gives 529 samples later than it was given, and the end is padded for that, too.
    """
    for before in _TABLE_AT:
        table = content[before : before + 8]
        if table[:4] in (b"Xing", b"Info"):
            flags = table[7]
            tag = before + 8 + 4 * (flags & 1) + 4 * (flags >> 1 & 1) + 100 * (flags >> 2 & 1) + 4 * (flags >> 3 & 1)
            written = content[tag + 21 : tag + 24]
            return max(0, (int.from_bytes(written, "big") & 0xFFF) - DECODER_DELAY) if len(written) == 3 else 0
    return 0


def lost_bytes(content: bytes, at: Integers, length: Integers) -> Integers:
    """Bytes between each frame and the next that should have been frames; tags are not counted.

    Args:
        content: the file.
        at: where frames lie, ascending.
        length: how long they are.
    """
    end = at + length
    lost = np.zeros(len(at), np.int64)
    lost[:-1] = np.maximum(at[1:] - end[:-1], 0)
    for frame in np.flatnonzero(lost).tolist():
        if content[end[frame] : end[frame] + 16].startswith(_NOT_SOUND):
            lost[frame] = 0
    return lost


def _word(content: Bytes, at: Integers) -> Integers:
    """The four bytes at each place, big-endian; 0 beyond the end."""
    inside = (at >= 0) & (at + 4 <= len(content))
    place = np.where(inside, at, 0)
    if len(content) < 4:
        return np.zeros(len(at), np.int64)
    word = sum(content[place + byte].astype(np.int64) << 8 * (3 - byte) for byte in range(4))
    return np.where(inside, word, 0)
