"""How many samples packets hold and where they belong, by what codecs write into them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from phonoscope_serving.sound.files.container import OpenedFile, StreamPacket
from phonoscope_serving.sound.files.timeline import Doubles

_PCM_BYTES = {"s16": 2, "u16": 2, "s24": 3, "u24": 3, "s32": 4, "u32": 4, "f32": 4, "s64": 8, "f64": 8}
_LONGEST_VORBIS_BLOCK = 8192


def vorbis_lengths(stamps: Doubles, durations: Doubles) -> Doubles:
    """Samples a Vorbis packet adds: FFmpeg's durations are a little short after long blocks, its ends are right."""
    ends = stamps + durations
    lengths = durations.copy()
    added = np.diff(ends)
    believable = (added > 0) & (added - durations[1:] < _LONGEST_VORBIS_BLOCK / 4)
    lengths[1:] = np.where(believable, added, durations[1:])
    return lengths


def lengths_by_codec(file: OpenedFile, packets: Sequence[StreamPacket]) -> Doubles | None:
    """Samples of each packet as its codec tells, for containers that round; None where it does not."""
    decoder = file.decoder
    if decoder.name == "opus":
        return np.array([_opus_samples(bytes(packet)) for packet in packets], np.float64)
    if decoder.name.startswith("pcm_"):
        frame_bytes = decoder.channels * _PCM_BYTES.get(decoder.name[4:7], 1)
        return np.array([packet.size // frame_bytes for packet in packets], np.float64)
    if decoder.frame_size > 0:
        return np.full(len(packets), decoder.frame_size, np.float64)
    return None


def _opus_samples(packet: bytes) -> int:
    """Samples at 48 kHz by a packet's first bytes (RFC 6716, 3.1)."""
    kind, counted = packet[0] >> 3, packet[0] & 3
    if kind < 12:
        frame = (480, 960, 1920, 2880)[kind & 3]
    elif kind < 16:
        frame = (480, 960)[kind & 1]
    else:
        frame = (120, 240, 480, 960)[kind & 3]
    frames = (1, 2, 2, packet[1] & 63 if len(packet) > 1 else 0)[counted]
    return frames * frame


def spacing(stamps: Doubles, durations: Doubles) -> Doubles:
    """Samples from each time stamp to the next, where nothing better is known."""
    return np.concatenate([np.maximum(np.diff(stamps), 0), durations[-1:]])


def flac_starts(packets: Sequence[StreamPacket], lengths: Doubles) -> Doubles:
    """First sample of each FLAC frame by the number in its header: in Ogg, time stamps behind a lost page are wrong.

    Args:
        packets: of FLAC.
        lengths: `[P]` samples of each; all the same but the last, unless headers count samples.
    """
    numbers = [_flac_number(bytes(packet)[:12]) for packet in packets]
    starts = np.array([number * (1 if counts_samples else lengths[0]) for counts_samples, number in numbers])
    return np.asarray(starts, np.float64)


def _flac_number(header: bytes) -> tuple[bool, int]:
    """Whether a FLAC frame counts samples, or frames; and how many came before it (RFC 9639, 9.1.5)."""
    first = header[4] if len(header) > 4 else 0
    longer = max(0, 7 - (first ^ 0xFF).bit_length())  # bytes behind the first, as in UTF-8
    number = first & (0x7F >> longer + (longer > 0))
    for byte in header[5 : 5 + longer]:
        number = number << 6 | byte & 0x3F
    return bool(header[1] & 1) if len(header) > 1 else False, number
