"""What a track comes to: counted as it is explained, in room that does not grow with it but by its segments."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from phonoscope_serving.rpcs.decision import Segment, SegmentTrust
from phonoscope_serving.rpcs.track.explaining import Moment
from phonoscope_serving.sound.warning import SoundWarning
from phonoscope_serving.tensors import Floats

RANKED = 10  # moments at either end


@dataclass(frozen=True)
class Ranked:
    """A moment among others."""

    frame: int
    label: str
    holds: bool | None
    doubt: float | None

    @property
    def order(self) -> tuple[int, float, int]:
        """The lower, the more its explanation is to be trusted."""
        return (0 if self.holds else 1, self.doubt or 0.0, self.frame)


@dataclass(frozen=True)
class Summary:
    """What a track comes to; the contract has the meaning of each."""

    complete: bool
    heard_until: int  # the first frame that was not heard
    frames: int  # of the curve
    segments: tuple[tuple[Segment, SegmentTrust], ...]
    relevance: dict[str, tuple[int, Floats]]  # label → explanations, and their mean `[T, M]`
    explained: int
    tried: int
    held: int
    most: tuple[Ranked, ...]
    least: tuple[Ranked, ...]
    warnings: tuple[SoundWarning, ...]


class Tally:
    """Counts one track."""

    def __init__(self) -> None:
        self._segments: list[Segment] = []
        self._starts: list[int] = []
        self._trusts: list[SegmentTrust] = []
        self._pending: list[Ranked] = []  # moments of segments that have not ended
        self._relevance: dict[str, tuple[int, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]] = {}
        self._all = SegmentTrust()
        self._most: list[Ranked] = []
        self._least: list[Ranked] = []
        self.frames = 0

    def note(self, moment: Moment) -> None:
        """Counts one explanation."""
        trust = moment.trust
        ranked = Ranked(moment.frame, trust.claim.name, moment.holds, trust.doubt.doubt if trust.doubt else None)
        self._all.note(ranked.holds, ranked.doubt)
        count, total = self._relevance.get(ranked.label, (0, np.zeros(moment.relevance.shape)))
        self._relevance[ranked.label] = count + 1, total + moment.relevance
        self._most = sorted([*self._most, ranked], key=lambda each: each.order)[:RANKED]
        self._least = sorted([*self._least, ranked], key=lambda each: each.order, reverse=True)[:RANKED]
        if self._segments and ranked.frame < self._segments[-1].end_frame:
            self._trusts[bisect_right(self._starts, ranked.frame) - 1].note(ranked.holds, ranked.doubt)
        else:
            self._pending.append(ranked)

    def close(self, segments: Iterable[Segment]) -> None:
        """Takes note of segments that have ended, in order."""
        for segment in segments:
            trust = SegmentTrust()
            for ranked in self._pending:
                if ranked.frame < segment.end_frame:
                    trust.note(ranked.holds, ranked.doubt)
            self._pending = [ranked for ranked in self._pending if ranked.frame >= segment.end_frame]
            self._segments.append(segment)
            self._starts.append(segment.first_frame)
            self._trusts.append(trust)

    def summary(self, heard_until: int, warnings: tuple[SoundWarning, ...], *, complete: bool) -> Summary:
        """What it comes to."""
        return Summary(
            complete=complete,
            heard_until=heard_until,
            frames=self.frames,
            segments=tuple(zip(self._segments, self._trusts, strict=True)),
            relevance={
                label: (count, (total / count).astype(np.float32)) for label, (count, total) in self._relevance.items()
            },
            explained=self._all.explained,
            tried=self._all.tried,
            held=self._all.held,
            most=tuple(self._most),
            least=tuple(self._least),
            warnings=warnings,
        )
