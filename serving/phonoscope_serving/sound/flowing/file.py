"""Files that come in chunks, decoded by FFmpeg as they come: nothing of them is kept, and nothing behind is needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import numpy as np
from av.audio.frame import AudioFrame
from av.codec.context import Flags2

from phonoscope_serving.sound.audio import BLOCK_SAMPLES, LIMITS, Pause, is_within
from phonoscope_serving.sound.files.container import ERRORS, StreamPacket, most_bytes, open_forward
from phonoscope_serving.sound.files.decoded import Pieces
from phonoscope_serving.sound.files.timeline import TOLERANCE_S
from phonoscope_serving.sound.flowing.chunks import ChunkFile
from phonoscope_serving.sound.warning import SoundWarning, WarningKind, summarised
from phonoscope_serving.tensors import Floats

LONGEST_GAP_S = 600.0  # a time stamp further ahead than this is not believed
MOST_FAULTS = 1000  # places one behind the other at which a container makes no sense
KEPT_WARNINGS = 256  # before they are summarised again


class FileFlow:
    """A file; a `Flow`."""

    def __init__(self, file: ChunkFile, field: str, pause: Pause) -> None:
        """Reads its header.

        Args:
            file: the chunks.
            field: of the request, for messages.
            pause: called before each packet is decoded.

        Raises:
            InvalidRequest: it is not sound, or is outside a limit.
        """
        self.field, self._file, self._pause = field, file, pause
        try:
            self._opened = open_forward(file, field, LIMITS)
        except Exception:
            if file.error is not None:
                raise file.error from None
            raise
        decoder = self._opened.decoder
        decoder.flags2 &= ~Flags2.skip_manual  # what a codec pads is left out by FFmpeg itself
        self.sample_rate_hz, self.speakers = decoder.sample_rate, self._opened.speakers
        self.are_floats = decoder.name.startswith("pcm_f")
        self._most_bytes = most_bytes(decoder.name, LIMITS)
        self._told: list[SoundWarning] = []
        self._offset: int | None = None  # samples from the time stamps' zero to the recording's
        self._end = 0  # samples so far

    @property
    def warnings(self) -> tuple[SoundWarning, ...]:
        """See `Flow.warnings`."""
        return tuple(self._told)

    def pieces(self) -> Iterator[Floats]:
        """See `Flow.pieces`."""
        with self._opened.container:
            yield from self._decoded()
        if self._file.error is not None:
            raise self._file.error

    def _decoded(self) -> Iterator[Floats]:
        held = Pieces(len(self.speakers))
        for packet in self._packets():
            self._pause()
            frames = self._frames(packet)
            if frames is None:
                yield from self._rest(held)
                held = Pieces(len(self.speakers))
                yield from self._silence(round(float((packet.duration or 0) * packet.time_base) * self.sample_rate_hz))
                continue
            for frame in frames:
                if gap := self._gap_before(frame):
                    yield from self._rest(held)
                    held = Pieces(len(self.speakers))
                    yield from self._silence(gap)
                at, self._end = self._end, self._end + frame.samples
                for _, rows in held.add(at, frame):
                    yield self._believable(rows)
        yield from self._rest(held)

    def _packets(self) -> Iterator[StreamPacket]:
        """To the end; what lies between and cannot be told apart is passed over."""
        faults = 0
        demuxed = self._opened.container.demux(self._opened.stream)
        while faults < MOST_FAULTS and self._file.error is None:
            try:
                packet = next(demuxed, None)
            except ERRORS:
                faults += 1
                demuxed = self._opened.container.demux(self._opened.stream)
                continue
            if packet is None:
                return
            faults = 0
            yield packet  # the last is empty, and has the decoder give what it kept

    def _frames(self, packet: StreamPacket) -> list[AudioFrame] | None:
        """What a packet holds; None, and a warning, where that cannot be decoded."""
        frames = None
        if packet.size <= self._most_bytes:
            with suppress(*ERRORS):
                frames = self._opened.decoder.decode(packet if packet.size else None)
        if frames is not None and all(frame.sample_rate == self.sample_rate_hz for frame in frames):
            return frames
        if not packet.size:
            return []
        self._warn(
            WarningKind.DAMAGED,
            float((packet.duration or 0) * (packet.time_base or 0)),
            "Some of the sound is damaged and could not be decoded; there is silence in its place.",
        )
        return None

    def _gap_before(self, frame: AudioFrame) -> int:
        """Samples that are missing before a frame, by its time stamp."""
        if frame.pts is None or frame.time_base is None:
            return 0
        stamp = round(frame.pts * frame.time_base * self.sample_rate_hz)
        if self._offset is None:
            self._offset = stamp - self._end
        gap = stamp - self._offset - self._end
        if abs(gap) <= TOLERANCE_S * self.sample_rate_hz:
            return 0
        if 0 < gap <= LONGEST_GAP_S * self.sample_rate_hz:
            seconds = gap / self.sample_rate_hz
            self._warn(
                WarningKind.GAP, seconds, f"{seconds:.3f} s of sound are missing; there is silence in their place."
            )
            return gap
        self._offset = stamp - self._end
        sentence = "Time stamps go back or jump too far: what follows is heard right behind what came before."
        self._warn(WarningKind.DAMAGED, 0.0, sentence)
        return 0

    def _believable(self, rows: Floats) -> Floats:
        """A piece in which what no codec was ever given is damage, and silent."""
        if self.are_floats or is_within(rows, LIMITS.max_peak):
            return rows
        self._warn(WarningKind.DAMAGED, 0.0, "Some of the sound decodes to no sound; there is silence in its place.")
        wrong = ~(np.abs(rows) <= LIMITS.max_peak).all(axis=0)  # so written, NaN is found too
        return np.where(wrong, np.float32(0), rows)

    def _rest(self, held: Pieces) -> Iterator[Floats]:
        for _, rows in held.rest():
            yield self._believable(rows)

    def _silence(self, samples: int) -> Iterator[Floats]:
        self._end += samples
        for first in range(0, samples, BLOCK_SAMPLES):
            yield np.zeros((len(self.speakers), min(BLOCK_SAMPLES, samples - first)), np.float32)

    def _warn(self, kind: WarningKind, seconds: float, sentence: str) -> None:
        at_s = self._end / self.sample_rate_hz
        self._told.append(SoundWarning(kind, at_s, at_s + seconds, sentence))
        if len(self._told) > KEPT_WARNINGS:
            self._told = list(summarised(self._told))
