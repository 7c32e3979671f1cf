"""The packets of a stream: which of them are sound, how many samples each holds, and when it is heard."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from phonoscope_serving.errors import InvalidRequest
from phonoscope_serving.sound.audio import AudioLimits
from phonoscope_serving.sound.files.container import OpenedFile, StreamPacket, open_file
from phonoscope_serving.sound.files.promises import promised_s
from phonoscope_serving.sound.files.timeline import Doubles, PacketTimes, Timeline, placed, trimmed

_FORGETFUL = ("mp3", "mp2float", "mp1float", "vorbis", "opus", "flac", "alac", "pcm_", "adpcm_ms", "adpcm_ima")
_PCM_BYTES = {"s16": 2, "u16": 2, "s24": 3, "u24": 3, "s32": 4, "u32": 4, "f32": 4, "s64": 8, "f64": 8}
_LONGEST_VORBIS_BLOCK = 8192
_AROUND_ENDS = 8  # packets at both ends that may carry padding


@dataclass(frozen=True)
class Stream:
    """A stream's packets and their times."""

    packets: Sequence[StreamPacket]
    timeline: Timeline
    ends_at: int | None = None  # byte of the file from which on another recording begins


def read_packets(content: bytes, field: str, limits: AudioLimits) -> tuple[OpenedFile, list[StreamPacket]]:
    """Opens a file and reads its packets, undecoded.

    Args:
        content: the file.
        field: of the request, for messages.
        limits: what is taken on.

    Raises:
        InvalidRequest: it is not sound, or is outside a limit.
    """
    file = open_file(content, field, limits)
    limits.check_length(promised_s(file, content) or 0.0, field)
    packets = file.packets(limits.max_packets + 1)
    if not packets:
        raise InvalidRequest.at(field, "holds no samples")
    if len(packets) > limits.max_packets:
        raise InvalidRequest.at(field, f"holds more than {limits.max_packets} packets; so many are accepted")
    largest, limit = max(packet.size for packet in packets), limits.max_packet_bytes
    if largest > limit:
        raise InvalidRequest.at(field, f"holds a packet of {largest} bytes; at most {limit} are accepted")
    return file, packets


def stamped(file: OpenedFile, packets: Sequence[StreamPacket], limits: AudioLimits) -> Stream:
    """The stream of a container that gives packets time stamps.

    Args:
        file: which holds the packets.
        packets: all of them.
        limits: what is taken on.
    """
    times = _times(packets, file.stream.time_base or Fraction(1, file.decoder.sample_rate))
    timeline = without_padding(file, packets, _timeline(file, packets, times, limits))
    if file.container.format.name in ("wav", "w64") and file.stream.duration is not None:
        surplus = timeline.samples - file.stream.duration  # blocks are filled up; the header counts samples
        if 0 < surplus < timeline.lengths[-1]:
            timeline = trimmed(timeline, 0, surplus)
    return Stream(packets, timeline)


def forgets(codec: str) -> bool:
    """Whether a decoder gives the same samples from any packet on, once it has heard a few before it."""
    return codec.startswith(_FORGETFUL)


def _times(packets: Sequence[StreamPacket], time_base: Fraction) -> PacketTimes:
    stamps = np.array([np.nan if packet.pts is None else packet.pts for packet in packets], np.float64)
    durations = np.array([packet.duration or 0 for packet in packets], np.float64)
    return PacketTimes(time_base, stamps, durations)


def _timeline(file: OpenedFile, packets: Sequence[StreamPacket], times: PacketTimes, limits: AudioLimits) -> Timeline:
    codec, rate_hz = file.decoder.name, file.decoder.sample_rate
    stamps, durations = times.in_samples(rate_hz)
    if times.ends_like_clockwork(rate_hz):
        lengths = _vorbis_lengths(stamps, durations) if codec == "vorbis" else durations
        starts = stamps + durations - lengths
        exact = True
    else:
        known = _lengths_by_codec(file, packets)
        lengths = _spacing(stamps, durations) if known is None else known
        starts = stamps
        exact = known is not None
    whole = np.rint(lengths).astype(np.int64)
    return placed(starts, whole, rate_hz, limits.max_seconds, exact=exact and forgets(codec))


def _vorbis_lengths(stamps: Doubles, durations: Doubles) -> Doubles:
    """Samples a Vorbis packet adds: FFmpeg's durations are a little short after long blocks, its ends are right."""
    ends = stamps + durations
    lengths = durations.copy()
    added = np.diff(ends)
    believable = (added > 0) & (added - durations[1:] < _LONGEST_VORBIS_BLOCK / 4)
    lengths[1:] = np.where(believable, added, durations[1:])
    return lengths


def _lengths_by_codec(file: OpenedFile, packets: Sequence[StreamPacket]) -> Doubles | None:
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


def _spacing(stamps: Doubles, durations: Doubles) -> Doubles:
    """Samples from each time stamp to the next, where nothing better is known."""
    return np.concatenate([np.maximum(np.diff(stamps), 0), durations[-1:]])


def without_padding(file: OpenedFile, packets: Sequence[StreamPacket], timeline: Timeline) -> Timeline:
    """A timeline without the padding that packets at both ends carry word of.

    Vorbis' first packet gives nothing to hear; and some durations of last packets are without their padding already.
    """
    skipped = next((skip for skip, _ in map(_padding, packets[:_AROUND_ENDS]) if skip), 0)
    if file.decoder.name == "vorbis" and not skipped:
        skipped = int(timeline.lengths[0])
    discarded = 0
    for packet in reversed(packets[-_AROUND_ENDS:]):
        padding = _padding(packet)[1]
        if not padding:
            break
        discarded += padding
    last, before = (int(length) for length in timeline.lengths[[-1, -2 if len(packets) > 1 else -1]])
    if file.container.format.name == "ogg" or last + discarded <= before:
        discarded = 0
    return trimmed(timeline, skipped, discarded)


def _padding(packet: StreamPacket) -> tuple[int, int]:
    """Samples a packet says are to be skipped at its start and discarded at its end."""
    if not packet.has_sidedata("skip_samples"):
        return 0, 0
    said = bytes(packet.get_sidedata("skip_samples"))
    return struct.unpack_from("<II", said) if len(said) >= 8 else (0, 0)
