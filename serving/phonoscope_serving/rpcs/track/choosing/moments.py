"""Which moments of a track are explained: chosen as its curve comes, each once, in order of time."""

from __future__ import annotations

from collections.abc import Iterable

from phonoscope_serving.bundle.front_end import FrontEnd
from phonoscope_serving.rpcs.decision import Decider, Segment
from phonoscope_serving.rpcs.naming import Numbers
from phonoscope_serving.rpcs.track.question import Moments


class Chooser:
    """Chooses the frames that are explained along the way."""

    def __init__(self, moments: Moments, front_end: FrontEnd, labels: tuple[str, ...], first_frame: int) -> None:
        """Nothing is chosen yet.

        Args:
            moments: which are asked for.
            front_end: what a frame is.
            labels: that frames and segments are given.
            first_frame: the first that is answered for.
        """
        self._moments, self._front_end, self._labels = moments, front_end, labels
        self._first = self._heard = first_frame
        rate = front_end.frames_per_second
        self._named = sorted({frame for at_s in moments.at_s if (frame := round(at_s * rate)) >= first_frame})
        self._step = moments.every_s * rate
        self._number = int(first_frame / self._step) if self._step else 0  # of the next moment of `every_s`
        self._segment = -1  # first frame of the last segment of which a moment was chosen
        self._chosen: set[int] = set()

    def ahead(self, begin: int, end: int) -> list[int]:
        """The frames from `begin` on, before `end`, that may be chosen as far as is known without their curve."""
        found = {frame for frame in self._named if begin <= frame < end}
        number = self._number
        while self._step and (frame := round(number * self._step)) < end:
            if frame >= begin:
                found.add(frame)
            number += 1
        return sorted(found)

    def hear(self, given: Numbers, ended: Iterable[Segment], decider: Decider) -> None:
        """Chooses from a piece of the curve.

        Args:
            given: `[N]` numbers of the labels that the frames which follow have.
            ended: segments that ended with them.
            decider: that said so.
        """
        begin, self._heard = self._heard, self._heard + len(given)
        while self._named and self._named[0] < self._heard:
            self._chosen.add(self._named.pop(0))
        while self._step and (frame := round(self._number * self._step)) < self._heard:
            if frame >= begin and self._is_wanted(int(given[frame - begin])):
                self._chosen.add(frame)
            self._number += 1
        for segment in ended:
            if self._moments.where_it_changes:
                self._chosen.add(segment.end_frame)
            self._choose_in(segment, has_ended=True)
        if decider.current is not None:
            self._choose_in(decider.current, has_ended=False)

    def end(self, left: Iterable[Segment], duration_s: float) -> None:
        """Chooses where the track has ended.

        Args:
            left: segments that ended with it.
            duration_s: of the track; a moment between its last frame and its end is the last frame's.
        """
        last = int(duration_s * self._front_end.frames_per_second)
        if self._named and self._heard <= self._named[0] <= last:
            self._chosen.add(self._heard - 1)
        before = None
        for segment in left:
            if self._moments.where_it_changes and before is not None:
                self._chosen.add(segment.first_frame)
            self._choose_in(segment, has_ended=True)
            before = segment

    def horizon(self, decider: Decider) -> int:
        """The first frame that may still be chosen."""
        if not (self._moments.where_it_changes or self._moments.in_segments):
            return self._heard
        horizon = min(self._heard, decider.known_until)
        current = decider.current
        if not self._moments.in_segments or (current is not None and not self._waits_for(current)):
            return horizon
        return min(horizon, current.first_frame if current is not None else self._first)

    def take(self, horizon: int) -> list[int]:
        """The frames chosen before a horizon, ascending; they are not given again."""
        taken = sorted(frame for frame in self._chosen if frame < horizon)
        self._chosen.difference_update(taken)
        return taken

    def _is_wanted(self, label: int) -> bool:
        return self._moments.where_label in ("", self._labels[label])

    def _waits_for(self, segment: Segment) -> bool:
        return self._is_wanted(segment.label) and segment.first_frame != self._segment

    def _choose_in(self, segment: Segment, *, has_ended: bool) -> None:
        if not self._moments.in_segments or not self._waits_for(segment):
            return
        is_short = segment.frames < self._front_end.excerpt_frames
        if is_short and not has_ended:
            return
        self._segment = segment.first_frame
        inside = segment.frames // 2 if is_short else self._front_end.context_frames
        self._chosen.add(segment.first_frame + inside)
