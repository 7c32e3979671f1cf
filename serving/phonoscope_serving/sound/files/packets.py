"""The packets of a stream: which of them are sound, how many samples each holds, and when it is heard."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from phonoscope_serving.errors import InvalidRequest
from phonoscope_serving.sound.audio import AudioLimits
from phonoscope_serving.sound.files.container import OpenedFile, StreamPacket, check_packets, open_file
from phonoscope_serving.sound.files.packet_lengths import flac_starts, lengths_by_codec, spacing, vorbis_lengths
from phonoscope_serving.sound.files.parts import following
from phonoscope_serving.sound.files.promises import promised_s
from phonoscope_serving.sound.files.timeline import PacketTimes, Timeline, placed, trimmed

_FORGETFUL = ("mp3", "mp2float", "mp1float", "vorbis", "opus", "flac", "alac", "pcm_", "adpcm_ms", "adpcm_ima")
_AROUND_ENDS = 8  # packets at both ends that may carry padding


@dataclass(frozen=True)
class Stream:
    """A stream's packets and their times."""

    packets: Sequence[StreamPacket]
    timeline: Timeline
    ends_at: int | None = None  # byte of the file from which on another recording begins
    is_cut: bool = False  # in the middle of its last packet


def read_packets(content: bytes, field: str, limits: AudioLimits) -> tuple[OpenedFile, list[StreamPacket]]:
    """Opens a file and reads its packets, undecoded.

    Args:
        content: the file.
        field: of the request, for messages.
        limits: what is taken on.

    Raises:
        InvalidRequest: it is not sound, or is outside a limit.
    """
    check_packets(content, field, limits)
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


def stamped(file: OpenedFile, packets: Sequence[StreamPacket], content: bytes, limits: AudioLimits) -> Stream:
    """The stream of a container that gives packets time stamps.

    Args:
        file: which holds the packets.
        packets: all of them.
        content: the file.
        limits: what is taken on.
    """
    times = _times(file, packets)
    timeline = _timeline(file, packets, times, limits)
    timeline = trimmed(timeline, *padding(file, packets, timeline))
    if file.container.format.name in ("wav", "w64") and file.stream.duration is not None:
        surplus = timeline.samples - file.stream.duration  # blocks are filled up; the header counts samples
        if 0 < surplus < timeline.lengths[-1]:
            timeline = trimmed(timeline, 0, surplus)
    last_at = packets[-1].pos if file.container.format.name == "flac" else None
    # FLAC does not say how long frames are: the last goes on to the end of the file, whatever is there.
    return Stream(packets, timeline, None if last_at is None else following(content, last_at + 1))


def forgets(codec: str) -> bool:
    """Whether a decoder gives the same samples from any packet on, once it has heard a few before it."""
    return codec.startswith(_FORGETFUL)


def _times(file: OpenedFile, packets: Sequence[StreamPacket]) -> PacketTimes:
    stamps = np.array([np.nan if packet.pts is None else packet.pts for packet in packets], np.float64)
    durations = np.array([packet.duration or 0 for packet in packets], np.float64)
    durations -= np.where(durations >= 1 << 31, 1 << 32, 0)  # FFmpeg's arithmetic, where more is padding than is there
    if file.container.format.name == "ogg":
        for place, packet in enumerate(packets[-_AROUND_ENDS:], max(0, len(packets) - _AROUND_ENDS)):
            durations[place] += _padding(packet)[1]  # elsewhere it is part of the duration
    return PacketTimes(file.stream.time_base or Fraction(1, file.decoder.sample_rate), stamps, durations)


def _timeline(file: OpenedFile, packets: Sequence[StreamPacket], times: PacketTimes, limits: AudioLimits) -> Timeline:
    codec, rate_hz = file.decoder.name, file.decoder.sample_rate
    stamps, durations = times.in_samples(rate_hz)
    if codec == "flac" and file.container.format.name == "ogg":
        stamps = flac_starts(packets, durations)
    if times.ends_like_clockwork(rate_hz):
        lengths = vorbis_lengths(stamps, durations) if codec == "vorbis" else durations
        starts = stamps + durations - lengths
        exact = True
    else:
        known = lengths_by_codec(file, packets)
        lengths = spacing(stamps, durations) if known is None else known
        starts = stamps
        exact = known is not None
    whole = np.rint(lengths).astype(np.int64)
    return placed(starts, whole, rate_hz, limits.max_seconds, exact=exact and forgets(codec))


def padding(file: OpenedFile, packets: Sequence[StreamPacket], timeline: Timeline) -> tuple[int, int]:
    """Samples at both ends that are only padding, as packets there tell; Vorbis' first packet is nothing else."""
    skipped = next((skip for skip, _ in map(_padding, packets[:_AROUND_ENDS]) if skip), 0)
    if file.decoder.name == "vorbis" and not skipped:
        skipped = int(timeline.lengths[0])
    discarded = 0
    for packet in reversed(packets[-_AROUND_ENDS:]):
        surplus = _padding(packet)[1]
        if not surplus:
            break
        discarded += surplus
    lengths, container = timeline.lengths, file.container.format.name
    if container == "caf" and len(lengths) > 1 and lengths[-1] + discarded <= lengths[-2]:
        discarded = 0
    if container == "ogg" and file.decoder.name == "vorbis" and packets[0].pts == 0:
        discarded = max(0, discarded - int(lengths[0]))  # all on one page, which FFmpeg dates one packet too late
    return skipped, discarded


def _padding(packet: StreamPacket) -> tuple[int, int]:
    """Samples a packet says are to be skipped at its start and discarded at its end."""
    if not packet.has_sidedata("skip_samples"):
        return 0, 0
    said = bytes(packet.get_sidedata("skip_samples"))
    return struct.unpack_from("<II", said) if len(said) >= 8 else (0, 0)
