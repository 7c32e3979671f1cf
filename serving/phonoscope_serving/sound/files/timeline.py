"""When the sound of each packet is heard.

Containers give packets time stamps and durations, rounded or not, right or not. Packets that follow each other are
placed without a seam by the samples they hold; where a time stamp says that something is missing, as long a silence
stays; where it goes back a little, what was heard already is not heard again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Doubles = NDArray[np.float64]

TOLERANCE_S = 0.015  # time stamps closer than this to where the last packet ended say that nothing is missing
LONGEST_REPEAT_S = 2.0  # further back they begin again: what follows is another recording
MOST_SEAMS = 5_000  # beyond which time stamps are not believed any more
_FARTHEST = 1e15  # samples; time stamps of damaged files lie anywhere


@dataclass(frozen=True)
class PacketTimes:
    """What a container says of each packet."""

    time_base: Fraction  # seconds a tick
    stamps: Doubles  # ticks; NaN where it says nothing
    durations: Doubles  # ticks; 0 where it says nothing

    def ends_like_clockwork(self, sample_rate_hz: int) -> bool:
        """Whether every sample has a time stamp of its own, so that none is rounded."""
        return (1 / (self.time_base * sample_rate_hz)).denominator == 1

    def in_samples(self, sample_rate_hz: int) -> tuple[Doubles, Doubles]:
        """Time stamps, filled in where they are missing, and durations, both in samples."""
        a_tick = float(self.time_base * sample_rate_hz)
        durations = np.clip(self.durations * a_tick, 0, _FARTHEST)
        stamps = np.clip(self.stamps * a_tick, -_FARTHEST, _FARTHEST)
        unknown = np.isnan(stamps)
        if unknown.any():
            follows = np.concatenate([[0], np.cumsum(durations)[:-1]])
            known = np.maximum.accumulate(np.where(unknown, -1, np.arange(len(stamps))))
            offset = np.where(known < 0, 0, (stamps - follows)[np.maximum(known, 0)])
            stamps = follows + offset
        return stamps, durations


@dataclass(frozen=True)
class Timeline:
    """Where packets lie on the recording's own scale of samples."""

    starts: Integers  # `[P]` first sample of each packet's sound; negative before the recording begins
    lengths: Integers  # `[P]` samples each packet holds
    samples: int  # of the recording
    exact: bool  # whether lengths are what decoding gives, to the sample
    gaps: Sequence[tuple[int, int]] = field(default=())  # samples at which silence stands for what is missing
    repeats: Sequence[int] = field(default=())  # samples at which time stamps go back

    def first_packet(self, sample: int) -> int:
        """The first packet that is still heard at a sample."""
        ends = np.maximum.accumulate(self.starts + self.lengths)
        return int(np.searchsorted(ends, sample, side="right"))


def placed(ideal: Doubles, lengths: Integers, sample_rate_hz: int, longest_gap_s: float, *, exact: bool) -> Timeline:
    """Places packets; the first begins at sample 0.

    Args:
        ideal: `[P]` where time stamps say that each packet's sound begins, in samples.
        lengths: `[P]` samples each packet holds.
        sample_rate_hz: of the sound.
        longest_gap_s: a time stamp further ahead than this is not believed.
        exact: whether lengths are exact.
    """
    follows = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
    ahead = ideal - follows  # stays the same as long as nothing is missing
    starts = follows.copy()
    gaps, repeats = [], []
    shift, at = 0, 0
    tolerance = TOLERANCE_S * sample_rate_hz
    for _ in range(MOST_SEAMS):
        seam = _next_seam(ahead, at, tolerance)
        starts[at:seam] += shift
        if seam == len(ahead):
            break
        jump = round(ahead[seam] - ahead[at])
        place = int(follows[seam]) + shift
        if 0 < jump <= longest_gap_s * sample_rate_hz:
            gaps.append((place, place + jump))
            shift += jump
        elif -LONGEST_REPEAT_S * sample_rate_hz <= jump < 0:
            shift += jump
            repeats.append(place + jump)
        else:
            repeats.append(place)
        at = seam
    else:
        starts[at:] += shift
    return Timeline(starts, lengths, int((starts + lengths).max()), exact, tuple(gaps), tuple(repeats))


def trimmed(timeline: Timeline, skipped: int, discarded: int) -> Timeline:
    """The same without what a codec's start and end are padded with.

    Args:
        timeline: with it.
        skipped: samples at the start.
        discarded: samples at the end.
    """
    samples = max(0, timeline.samples - skipped - discarded)
    gaps = [(start - skipped, stop - skipped) for start, stop in timeline.gaps]
    repeats = [place - skipped for place in timeline.repeats]
    return Timeline(timeline.starts - skipped, timeline.lengths, samples, timeline.exact, gaps, repeats)


def _next_seam(ahead: Doubles, at: int, tolerance: float) -> int:
    """The first packet after `at` whose time stamp does not follow; as many as there are where all follow."""
    reach = 256
    first = at + 1
    while first < len(ahead):
        off = np.abs(ahead[first : first + reach] - ahead[at]) > tolerance
        if off.any():
            return first + int(off.argmax())
        first += reach
        reach *= 4
    return len(ahead)
