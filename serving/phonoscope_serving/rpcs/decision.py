"""From a curve to segments: a median filter, a label for each frame, and a shortest length, as the curve comes.

The median of an odd number of frames is at or above the threshold exactly where most of them are, so the filter counts:
of two labels and of more alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from phonoscope_serving.rpcs.naming import Naming, Numbers
from phonoscope_serving.tensors import Floats

LONGEST_START_S = 120.0  # of nothing but short segments: what waits for a decision must not grow with the track


@dataclass(frozen=True)
class Decision:
    """How a curve is decided upon."""

    threshold: float | None = None  # a frame at or above it is given the first of two labels; None for the naming's own
    median_filter_s: float = 0.0  # width of the filter; 0 for none
    minimum_s: float = 0.0  # a shorter segment is given to a neighbour

    def median_frames(self, frames_per_second: float) -> int:
        """Frames of the filter on either side of the one that it answers for."""
        return round(self.median_filter_s * frames_per_second) // 2

    def minimum_frames(self, frames_per_second: float) -> int:
        """Frames of the shortest segment."""
        return max(1, round(self.minimum_s * frames_per_second))


@dataclass(frozen=True)
class Segment:
    """A stretch of one label."""

    first_frame: int
    frames: int
    label: int  # its number
    sums: tuple[float, ...]  # of each label's probability, over its frames

    @property
    def end_frame(self) -> int:
        """The first frame that is not in it any more."""
        return self.first_frame + self.frames

    @property
    def mean_confidence(self) -> float:
        """Mean probability of its label."""
        return self.sums[self.label] / self.frames

    def joined(self, later: Segment) -> Segment:
        """With what follows it, which becomes part of it."""
        sums = tuple(one + other for one, other in zip(self.sums, later.sums, strict=True))
        return replace(self, frames=self.frames + later.frames, sums=sums)


@dataclass
class SegmentTrust:
    """What came of the explanations in a segment."""

    explained: int = 0
    tried: int = 0
    held: int = 0
    doubted: float = 0.0  # the sum of doubts
    doubts: int = 0  # how many there are

    def note(self, holds: bool | None, doubt: float | None) -> None:
        """Counts one explanation."""
        self.explained += 1
        self.tried += holds is not None
        self.held += bool(holds)
        self.doubted += doubt or 0.0
        self.doubts += doubt is not None


class Decider:
    """Decides upon a curve that comes piece by piece."""

    def __init__(self, decision: Decision, naming: Naming, frames_per_second: float, first_frame: int = 0) -> None:
        """Nothing is known yet.

        Args:
            decision: how.
            naming: between which labels.
            frames_per_second: of the curve.
            first_frame: number of its first frame.
        """
        self._naming = naming.at(decision.threshold)
        self._half = decision.median_frames(frames_per_second)
        self._minimum = decision.minimum_frames(frames_per_second)
        self._longest_start = max(2 * self._minimum, round(LONGEST_START_S * frames_per_second))
        self._frame = first_frame  # the next that is to be decided upon
        self._around = np.zeros(0, np.int_)  # labels from `_half` frames before it on, not smoothed
        self._coming = np.zeros((0, len(naming.labels)), np.float32)  # the shares from it on
        self.current: Segment | None = None  # the segment that goes on, as far as it is known
        self._start: Segment | None = None  # runs before the first that is long enough for a segment
        self._run: Segment | None = None  # of another label: what may become the next segment

    @property
    def known_until(self) -> int:
        """The first frame of which the segment is not known yet."""
        pending = [each.first_frame for each in (self._start, self._run) if each is not None]
        return min(pending, default=self._frame)

    def push(self, shares: Floats) -> list[Segment]:
        """Goes on with a piece `[N, labels]` of the curve; returns the segments that have ended."""
        given = self._naming.given(shares)
        if not len(self._around) and len(given):
            self._around = np.repeat(given[:1], self._half)
        self._around = np.concatenate([self._around, given])
        self._coming = np.concatenate([self._coming, shares])
        return list(self._decided())

    def end(self) -> list[Segment]:
        """Ends the curve; returns the segments that are left."""
        self._around = np.concatenate([self._around, np.repeat(self._around[-1:], self._half)])
        ended = list(self._decided())
        rest = _joined(self._start, self._run)
        if self.current is not None:
            ended.append(_joined(self.current, rest) or self.current)
        elif rest is not None:
            ended.append(self._by_mean(rest))
        self.current = self._start = self._run = None
        return ended

    def _by_mean(self, whole: Segment) -> Segment:
        """Of runs none of which is long enough: all of them are what their mean says."""
        return replace(whole, label=self._naming.of_sums(whole.sums, whole.frames))

    def _decided(self) -> Iterator[Segment]:
        count = len(self._around) - 2 * self._half
        if count <= 0:
            return
        labels = _most_frequent(self._around, self._half, len(self._naming.labels))
        shares, self._coming = self._coming[:count], self._coming[count:]
        self._around = self._around[count:]
        for run in _runs(labels, shares, self._frame):
            yield from self._take(run)
        self._frame += count

    def _take(self, run: Segment) -> Iterator[Segment]:
        """Goes on with a run of one label, or with the rest of one."""
        if self.current is not None and run.label == self.current.label:
            self.current, self._run = self.current.joined(_joined(self._run, run) or run), None
            return
        if self._run is not None and self._run.label != run.label:  # it was too short
            if self.current is not None:
                self.current, self._run = self.current.joined(self._run), None
            else:
                self._start, self._run = _joined(self._start, self._run), None
        self._run = _joined(self._run, run) or run
        whole = _joined(self._start, self._run) or self._run
        if self._run.frames >= self._minimum:
            if self.current is not None:
                yield self.current
            self.current, self._start, self._run = replace(whole, label=run.label), None, None
        elif self.current is None and whole.frames >= self._longest_start:
            self.current, self._start, self._run = self._by_mean(whole), None, None


def segments(shares: Floats, decision: Decision, naming: Naming, frames_per_second: float) -> list[Segment]:
    """The segments of a whole curve `[N, labels]`."""
    decider = Decider(decision, naming, frames_per_second)
    return [*decider.push(shares), *decider.end()]


def _most_frequent(around: Numbers, half: int, labels: int) -> Numbers:
    """Of each frame and `half` on either side the label that most have; of equals its own, or else the first."""
    if not half:
        return around
    width, own = 2 * half + 1, around[half:-half]
    counts = []
    for label in range(labels):
        sums = np.concatenate([[0], np.cumsum(around == label)])
        counts.append(2 * (sums[width:] - sums[:-width]) + (own == label))
    return np.asarray(np.argmax(counts, axis=0))


def _runs(labels: Numbers, shares: Floats, first_frame: int) -> Iterator[Segment]:
    """Stretches of equal labels."""
    edges = np.flatnonzero(labels[1:] != labels[:-1]) + 1
    starts = np.concatenate([[0], edges])
    sums = np.add.reduceat(shares.astype(np.float64), starts, axis=0)
    for start, stop, own in zip(starts, [*edges, len(labels)], sums, strict=True):
        yield Segment(first_frame + int(start), int(stop - start), int(labels[start]), tuple(own.tolist()))


def _joined(first: Segment | None, later: Segment | None) -> Segment | None:
    """Both, where there are both."""
    if first is None or later is None:
        return first or later
    return first.joined(later)
