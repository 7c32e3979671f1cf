"""Several recordings joined in one file, heard one after another at the rate of the first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from phonoscope_serving.sound.audio import BLOCK_SAMPLES, Recording
from phonoscope_serving.sound.resampling import samples_at, section
from phonoscope_serving.sound.warning import SoundWarning, WarningKind, summarised
from phonoscope_serving.tensors import Floats

CHUNK_SAMPLES = 4 * BLOCK_SAMPLES  # resampled at once


class JoinedRecording:
    """Recordings, as one."""

    def __init__(self, recordings: Sequence[Recording], unread: Sequence[SoundWarning]) -> None:
        """Reads nothing.

        Args:
            recordings: in order, two at least or one with parts that could not be read.
            unread: of parts that could not be read.
        """
        self.field, self.sample_rate_hz = recordings[0].field, recordings[0].sample_rate_hz
        self._recordings = recordings
        self._starts = [0, *accumulate(samples_at(each, self.sample_rate_hz) for each in recordings)]
        self.samples = self._starts[-1]
        self._unread = tuple(unread)

    @property
    def warnings(self) -> tuple[SoundWarning, ...]:
        """See `Recording.warnings`."""
        starts_s = [start / self.sample_rate_hz for start in self._starts]
        told = [
            warning.later(start_s)
            for recording, start_s in zip(self._recordings, starts_s, strict=False)
            for warning in recording.warnings
        ]
        if len(self._recordings) > 1:
            rates = sorted({recording.sample_rate_hz for recording in self._recordings})
            places = ", ".join(f"{start_s:.3f} s" for start_s in starts_s[1:-1][:8])
            sentence = (
                f"The file holds {len(self._recordings)} recordings one behind the other, the later ones from {places}"
                f"{' …' if len(starts_s) > 10 else ''}"
                f"{f', of different sample rates ({rates[0]} to {rates[-1]} Hz)' if len(rates) > 1 else ''}: "
                "all are heard."
            )
            told.append(SoundWarning(WarningKind.SEVERAL_STREAMS, starts_s[1], starts_s[-1], sentence))
        return summarised([*told, *self._unread])

    def blocks(self, start: int, stop: int) -> Iterator[Floats]:
        """See `Recording.blocks`."""
        for recording, (first, last) in zip(self._recordings, pairwise(self._starts), strict=True):
            begin, end = max(start, first) - first, min(stop, last) - first
            if begin >= end:
                continue
            if recording.sample_rate_hz == self.sample_rate_hz:
                yield from recording.blocks(begin, end)
                continue
            for at in range(begin, end, CHUNK_SAMPLES):
                yield from self._resampled(recording, at, min(CHUNK_SAMPLES, end - at))

    def _resampled(self, recording: Recording, start: int, count: int) -> Iterator[Floats]:
        samples = section(recording, self.sample_rate_hz, start, count)
        for at in range(0, count, BLOCK_SAMPLES):
            yield samples[at : at + BLOCK_SAMPLES]
