"""What a recording cannot be trusted in: what is missing, damaged or unusual in it, and where."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

CLOSE_S = 0.5  # warnings of one kind closer than this are one
AT_MOST = 20  # warnings of one kind; the last stands for what follows


class WarningKind(enum.Enum):
    """What is wrong."""

    TRUNCATED = "the file ends before the recording does"
    GAP = "sound is missing; silence stands for it"
    DAMAGED = "sound could not be decoded; silence stands for it"
    SEVERAL_STREAMS = "the file holds several recordings"
    NARROW_BAND = "high frequencies are missing"
    CANCELLING_CHANNELS = "channels cancel where they are summed"
    CLIPPED = "peaks are cut off"
    UNUSUAL_SCALE = "samples are not on the scale of sound"


@dataclass(frozen=True)
class SoundWarning:
    """One thing that is wrong with a recording."""

    kind: WarningKind
    start_s: float  # from the recording's start
    end_s: float
    sentence: str  # for people: what, where, and what was done about it

    def later(self, seconds: float) -> SoundWarning:
        """The same warning of a recording that starts so much later."""
        return replace(self, start_s=self.start_s + seconds, end_s=self.end_s + seconds)


def summarised(warnings: Iterable[SoundWarning]) -> tuple[SoundWarning, ...]:
    """In order of time, neighbours of one kind as one, and not more of each kind than anybody reads.

    Args:
        warnings: in any order; damage beside what is missing belongs to it.
    """
    told = list(warnings)
    missing = [warning for warning in told if warning.kind in (WarningKind.GAP, WarningKind.TRUNCATED)]
    kept: list[SoundWarning] = []
    last: dict[WarningKind, int] = {}
    counts = Counter[WarningKind]()
    for warning in sorted(told, key=lambda warning: warning.start_s):
        kind, at = warning.kind, last.get(warning.kind)
        if kind is WarningKind.DAMAGED and any(_beside(gap, warning) for gap in missing):
            continue
        if at is not None and (warning.start_s - kept[at].end_s <= CLOSE_S or counts[kind] >= AT_MOST):
            kept[at] = replace(kept[at], end_s=max(kept[at].end_s, warning.end_s))
            continue
        last[kind] = len(kept)
        counts[kind] += 1
        kept.append(warning)
    return tuple(kept)


def _beside(gap: SoundWarning, damage: SoundWarning) -> bool:
    return gap.start_s - CLOSE_S <= damage.end_s and damage.start_s <= gap.end_s + CLOSE_S
