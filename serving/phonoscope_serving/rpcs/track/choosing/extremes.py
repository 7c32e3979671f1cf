"""The moments about whose label the listener is most, or least, certain: known at a track's end, kept until then."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

import numpy as np

from phonoscope_serving.bundle.front_end import FrontEnd
from phonoscope_serving.rpcs.track.reading import TrackPiece
from phonoscope_serving.tensors import Floats


@dataclass(frozen=True, order=True)
class Extreme:
    """One moment; of two, the one with the larger score is kept, and of equals the earlier."""

    score: float
    later: int  # minus its frame
    samples: Floats = field(compare=False)  # `[N]` of its excerpt

    @property
    def frame(self) -> int:
        """Its frame."""
        return -self.later


class Extremes:
    """So many moments, at most one in each stretch of an excerpt's length."""

    def __init__(self, count: int, sign: int, front_end: FrontEnd, step: int = 1) -> None:
        """None is known yet.

        Args:
            count: how many are kept.
            sign: 1 for the most certain, -1 for the least.
            front_end: what a frame is.
            step: frames from one of the curve to the next.
        """
        self._count, self._sign, self._front_end, self._step = count, sign, front_end, step
        self._best: Extreme | None = None  # of the stretch that goes on
        self._kept: list[Extreme] = []  # a heap

    def hear(self, piece: TrackPiece, certainty: Floats) -> None:
        """Goes on with a piece, and how certain the labels of its curve are, `[N]`."""
        if not self._count:
            return
        scores = self._sign * certainty
        length = self._front_end.excerpt_frames
        frames = np.arange(piece.first_frame, piece.end_frame, self._step)
        for stretch in np.unique(frames // length):
            inside = np.flatnonzero(frames // length == stretch)
            at = int(inside[scores[inside].argmax()])
            if self._best is not None and self._best.frame // length != stretch:
                self._keep()
            if self._best is None or scores[at] > self._best.score:
                frame = int(frames[at])
                self._best = Extreme(float(scores[at]), -frame, piece.excerpt(frame, self._front_end))

    def found(self) -> dict[int, Floats]:
        """Frames and the samples of their excerpts, in order of time."""
        self._keep()
        return {each.frame: each.samples for each in sorted(self._kept, key=lambda each: each.frame)}

    def _keep(self) -> None:
        if self._best is not None:
            heapq.heappush(self._kept, self._best)
            if len(self._kept) > self._count:
                heapq.heappop(self._kept)
        self._best = None
