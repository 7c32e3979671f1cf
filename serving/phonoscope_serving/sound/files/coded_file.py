"""Files decoded by FFmpeg, from any sample: packets are listed when a file is opened, decoded when they are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import numpy as np
from av.audio.codeccontext import AudioCodecContext

from phonoscope_serving.errors import InvalidRequest
from phonoscope_serving.sound.audio import BLOCK_SAMPLES, AudioLimits, Pause, is_within, never
from phonoscope_serving.sound.files import wave
from phonoscope_serving.sound.files.container import ERRORS, check_packets, most_bytes, open_file
from phonoscope_serving.sound.files.decoded import Piece, Pieces
from phonoscope_serving.sound.files.frames import framed, is_frames_only
from phonoscope_serving.sound.files.packets import read_packets, stamped
from phonoscope_serving.sound.files.promises import cut_short
from phonoscope_serving.sound.files.timeline import TOLERANCE_S
from phonoscope_serving.sound.warning import SoundWarning, WarningKind
from phonoscope_serving.tensors import Floats

LEAST_GAP_S = 0.02  # missing sound worth a warning
_TAIL_PACKETS = 16  # decoded on opening: the last one of a file that was cut is often no use
_ROUGH_PACKETS = 2  # decoded ahead of a section that need not be exact
_MOST_SURPLUS = 1 << 26  # samples decoded in one pass that time stamps leave no room for; 23 minutes at 48 kHz
_MEMORY_S = {"mp": 1.0, "opus": 2.0, "vorbis": 0.2}  # how long decoders remember what they heard before


class CodedFile:
    """An opened file."""

    def __init__(self, content: bytes, field: str, limits: AudioLimits, pause: Pause = never) -> None:
        """Lists packets; decodes only a few at the end.

        Args:
            content: the file; sound begins at its first byte.
            field: of the request, for messages.
            limits: what is taken on.
            pause: called before each packet is decoded.

        Raises:
            InvalidRequest: it is not sound, or is outside a limit.
        """
        self.field, self._content, self._limits, self._pause = field, wave.mended(content), limits, pause
        check_packets(self._content, field, limits)
        with open_file(self._content, field, limits) as file:
            packets = read_packets(file, self._content, field, limits)
            if is_frames_only(file):
                stream = framed(file, packets, content, field, limits)
            else:
                stream = stamped(file, packets, content, limits)
            self.sample_rate_hz, self.speakers = file.decoder.sample_rate, file.speakers
            self.ends_at = stream.ends_at
            self._most_bytes = most_bytes(file.decoder.name, limits)
            self.are_floats = file.decoder.name.startswith("pcm_f")
            self._packets, self._timeline = stream.packets, stream.timeline
            self._starts = self._timeline.starts.tolist()
            self._ends = (self._timeline.starts + self._timeline.lengths).tolist()
            self._unused: AudioCodecContext | None = file.decoder
            self._decoder = file.decoder
            self._damaged: set[int] = set()
            self.samples = self._timeline.samples
            limits.check_length(self.samples / self.sample_rate_hz, field)
            self.samples = self._heard_end()
            held_s = self.samples / self.sample_rate_hz
            self._known = [*self._missing(), *cut_short(file, content, held_s, is_cut=stream.is_cut)]
            if file.audio_streams > 1:
                sentence = (
                    f"The file holds {file.audio_streams} audio streams side by side: only the main one is heard."
                )
                self._known.append(self._warning(WarningKind.SEVERAL_STREAMS, 0, self.samples, sentence))

    @property
    def warnings(self) -> list[SoundWarning]:
        """See `Channels.warnings`."""
        heard = (packet for packet in sorted(self._damaged) if self._starts[packet] < self.samples)
        return [*self._known, *(self._damage(packet) for packet in heard)]

    def frames(self, start: int, stop: int, *, roughly: bool = False) -> Iterator[Floats]:
        """See `Channels.frames`."""
        heard = start
        for at, rows in self._sounds(start, stop, roughly):
            yield from self._silence(heard, at)
            heard = max(heard, at)
            new = rows[:, heard - at : stop - at]
            if new.size:
                yield self._believable(new, heard)
                heard += new.shape[1]
        yield from self._silence(heard, stop)

    def _silence(self, start: int, stop: int) -> Iterator[Floats]:
        for first in range(start, stop, BLOCK_SAMPLES):
            yield np.zeros((len(self.speakers), min(stop - first, BLOCK_SAMPLES)), np.float32)

    def _believable(self, piece: Floats, start: int) -> Floats:
        """A piece from `start` on, in which what no codec was ever given is damage, and silent."""
        limit = self._limits.max_peak
        if self.are_floats or is_within(piece, limit):
            return piece
        wrong = ~(np.abs(piece) <= limit).all(axis=0)  # so written, NaN is found too
        self._damaged.update(map(self._timeline.first_packet, (start + np.flatnonzero(wrong)).tolist()))
        return np.where(wrong, np.float32(0), piece)

    def _sounds(self, start: int, stop: int, roughly: bool) -> Iterator[Piece]:
        """What is decoded, in order, of a section at least."""
        timeline = self._timeline
        heard_from = timeline.first_packet(start)
        if not timeline.exact and not roughly:
            begin = 0
        elif roughly:
            begin = max(0, heard_from - _ROUGH_PACKETS)
        else:
            memory_s = next((s for codec, s in _MEMORY_S.items() if self._decoder.name.startswith(codec)), 0.0)
            ahead = timeline.first_packet(start - round(memory_s * self.sample_rate_hz))
            begin = max(0, min(ahead, heard_from - (2 if memory_s else 0)))
        yield from self._decoded(begin, heard_from if begin else 1, stop)

    def _decoded(self, begin: int, trusted: int, stop: int) -> Iterator[Piece]:
        """Decodes packets from one on, up to a sample.

        What fails from packet `trusted` on is damage, before it the decoder lacks the past.
        """
        decoder, pieces = self._decoder_at(begin), Pieces(len(self.speakers))
        decode, packets, pause = decoder.decode, self._packets, self._pause
        exact, ends = self._timeline.exact, self._ends
        surplus = 0
        tolerance, follows = 0.0 if exact else TOLERANCE_S * self.sample_rate_hz, None
        for packet in range(begin, len(packets)):
            pause()
            at = self._starts[packet]
            if follows is not None and abs(at - follows) <= tolerance:
                at = follows
            if at >= stop:
                break
            try:
                frames = decode(packets[packet]) if packets[packet].size <= self._most_bytes else None
            except ERRORS:
                frames = None
            for frame in frames or ():
                if frame.sample_rate == self.sample_rate_hz and (not exact or at < ends[packet]):
                    yield from pieces.add(at, frame)
                else:
                    frames = None
                at += frame.samples
            if frames is None and packet >= trusted:
                self._damaged.add(packet)
            follows = at if frames else max(at, ends[packet])
            surplus += max(0, at - ends[packet])
            if surplus > _MOST_SURPLUS:
                raise InvalidRequest.at(self.field, "holds far more sound than its time stamps leave room for")
        else:
            if not exact and follows is not None:
                yield from self._held_back(decoder, pieces, follows)
        yield from pieces.rest()

    def _held_back(self, decoder: AudioCodecContext, pieces: Pieces, follows: int) -> Iterator[Piece]:
        """What some decoders keep to themselves until there are no more packets."""
        with suppress(*ERRORS):
            for frame in decoder.decode(None):
                if frame.sample_rate == self.sample_rate_hz:
                    yield from pieces.add(follows, frame)
                    follows += frame.samples

    def _decoder_at(self, packet: int) -> AudioCodecContext:
        """A decoder that remembers nothing; some never forget, and are made anew where that matters."""
        if self._unused is not None:
            self._decoder, self._unused = self._unused, None
        elif self._timeline.exact or packet > 0:
            self._decoder.flush_buffers()
        else:
            with open_file(self._content, self.field, self._limits) as file:
                self._decoder = file.decoder
        return self._decoder

    def _heard_end(self) -> int:
        """Where sound ends: a file that was cut may end in a packet that cannot be decoded."""
        ends = [
            at + rows.shape[1]
            for at, rows in self._decoded(max(0, len(self._packets) - _TAIL_PACKETS), len(self._packets), self.samples)
        ]
        return max(0, min(self.samples, max(ends))) if ends else self.samples

    def _missing(self) -> Iterator[SoundWarning]:
        for start, stop in self._timeline.gaps:
            lost_s = (stop - start) / self.sample_rate_hz
            if lost_s >= LEAST_GAP_S:
                sentence = f"{lost_s:.3f} s of sound are missing; there is silence in their place."
                yield self._warning(WarningKind.GAP, start, stop, sentence)
        for place in self._timeline.repeats:
            sentence = "Time stamps go back or jump too far: what follows is heard right behind what came before."
            yield self._warning(WarningKind.DAMAGED, place, place, sentence)

    def _damage(self, packet: int) -> SoundWarning:
        start = self._starts[packet]
        sentence = "Some of the sound is damaged and could not be decoded; there is silence in its place."
        return self._warning(WarningKind.DAMAGED, start, self._ends[packet], sentence)

    def _warning(self, kind: WarningKind, start: int, stop: int, sentence: str) -> SoundWarning:
        within = np.clip([start, stop], 0, max(self.samples, 0)) / self.sample_rate_hz
        return SoundWarning(kind, float(within[0]), float(within[1]), sentence)
