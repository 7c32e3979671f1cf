"""A track cut into pieces as it comes: each with as many neighbours as the detector looks at, and then forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from phonoscope_serving.bundle.front_end import FrontEnd
from phonoscope_serving.errors import InvalidRequest
from phonoscope_serving.rpcs.predict import PIECE_S
from phonoscope_serving.sound.warning import SoundWarning
from phonoscope_serving.tensors import Floats

Warnings = Callable[[], tuple[SoundWarning, ...]]


@dataclass(frozen=True)
class TrackPiece:
    """Some frames of a track, and the sound around them."""

    first_frame: int  # that it answers for
    frames: int
    first_sample: int  # of `samples`, in the track
    samples: Floats  # `[N]` at the front-end's rate, all that any excerpt around its frames holds
    silence_before: int  # frames that are missing before it, at the track's start
    silence_after: int
    duration_s: float | None  # of the track, where that is known
    warnings: tuple[SoundWarning, ...]  # of the track so far

    @property
    def end_frame(self) -> int:
        """The first frame that is not its own any more."""
        return self.first_frame + self.frames

    def sounding(self, front_end: FrontEnd) -> Floats:
        """The samples of whole frames alone, `[N]`: at the end of a track, fewer than there are."""
        around = front_end.context_frames + front_end.frames_behind
        frames = self.frames + around - self.silence_before - self.silence_after
        return self.samples[: front_end.samples(frames)]

    def excerpt(self, frame: int, front_end: FrontEnd) -> Floats:
        """The excerpt around one of its frames, `[N]`; silence beyond the track's ends."""
        start = (frame - front_end.context_frames) * front_end.hop_samples - self.first_sample
        held = self.samples[max(0, start) : start + front_end.excerpt_samples]
        before = max(0, -start)
        return np.pad(held, (before, front_end.excerpt_samples - before - len(held)))


def track_pieces(
    parts: Iterator[Floats],
    front_end: FrontEnd,
    first_frame: int,
    warnings: Warnings,
    duration_s: float | None = None,
    piece_s: float = PIECE_S,
) -> Iterator[TrackPiece]:
    """Cuts a track, of which no more is kept than the next piece needs.

    Args:
        parts: `[N]` each, at the front-end's rate, from the track's start.
        front_end: what a frame is.
        first_frame: the first that is answered for.
        warnings: what is wrong with the track so far.
        duration_s: of the track, where that is known.
        piece_s: what each piece answers for, in seconds.

    Raises:
        InvalidRequest: the track is shorter than a frame.
    """
    hop, context, behind = front_end.hop_samples, front_end.context_frames, front_end.frames_behind
    step = max(1, round(piece_s * front_end.frames_per_second))
    held, begin, first = _Held(), max(0, first_frame - context), first_frame
    held.forget_before(begin * hop)

    def piece(count: int, end: int, samples: int) -> TrackPiece:
        before, after = context - (first - begin), behind - (end - first - count)
        sound = held.of(begin * hop, samples)
        return TrackPiece(first, count, begin * hop, sound, before, after, duration_s, warnings())

    for part in parts:
        held.add(part)
        while front_end.frames(held.end) >= (end := first + step + behind):
            yield piece(step, end, front_end.samples(end - begin))
            first += step
            begin = max(0, first - context)
            held.forget_before(begin * hop)
    frames = front_end.frames(held.end)
    if not frames:
        raise InvalidRequest.at("chunk", f"ends after {held.end / front_end.sample_rate_hz:.4f} s, before one frame")
    while first < frames:
        count = min(step, frames - first)
        end = min(frames, first + count + behind)
        yield piece(count, end, held.end - begin * hop)
        first += count
        begin = max(0, first - context)
        held.forget_before(begin * hop)


class _Held:
    """Samples between what was forgotten and what has come."""

    def __init__(self) -> None:
        self._parts: list[Floats] = []
        self._first = self._wanted = 0  # the first that is kept, and the first that has to be
        self.end = 0

    def add(self, part: Floats) -> None:
        self._parts.append(part)
        self.end += len(part)
        self._drop()

    def forget_before(self, sample: int) -> None:
        self._wanted = sample
        self._drop()

    def of(self, first: int, count: int) -> Floats:
        """Samples `[count]` from `first` on."""
        kept = np.concatenate(self._parts)[self._wanted - self._first :]
        self._parts, self._first = [kept.copy()], self._wanted  # a view would keep what comes before
        return self._parts[0][first - self._first :][:count]

    def _drop(self) -> None:
        while self._parts and self._first + len(self._parts[0]) <= self._wanted:
            self._first += len(self._parts.pop(0))
        if not self._parts:
            self._first = self.end
