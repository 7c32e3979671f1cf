"""What a whole track comes to, as frozen dataclasses."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from phonoscope_client.results.parts import Floats, Label, SoundWarning
from phonoscope_client.results.segments import Segment


@dataclass(frozen=True, eq=False)  # arrays have no single truth value to compare by; likewise below
class LabelMap:
    """What mattered, on average, where one label was explained.

    Attributes:
        label: the label.
        explained: how many explanations it is the mean of.
        mean_relevance: `[T, M]` float32 in [0, 1]; the moment explained is in its middle.
    """

    label: Label
    explained: int
    mean_relevance: Floats


@dataclass(frozen=True)
class RankedMoment:
    """A moment among others.

    Attributes:
        at_s: the moment, in seconds from the track's start.
        label: the label that was explained.
        holds: whether its explanation holds; None where nothing was tried.
        doubt: how far its answer is to be doubted, in [0, 1]; None where the bundle cannot tell.
    """

    at_s: float
    label: Label
    holds: bool | None
    doubt: float | None


@dataclass(frozen=True, eq=False)
class TrackSummary:
    """What a track comes to.

    Attributes:
        complete: whether it was heard to its end; if not, time ran out, and all else is of what was heard.
        heard_until_s: how far it was heard, in seconds from its start; another call can go on from there.
        frames: how many frames the curve has.
        segments: what it is called, in order of time, without gaps.
        relevance: what mattered, by label; only labels of which a moment was explained.
        explained: how many moments were explained.
        tried: on how many of their regions something was tried.
        held: how many of these explanations hold.
        share_held: share of the explanations tried that hold, in [0, 1]; None where none was.
        most_trustworthy: the moments whose explanations are to be trusted most, best first.
        least_trustworthy: the moments whose explanations are to be trusted least, worst first.
        warnings: what is wrong with the recording, where the answers may suffer from it.
        seconds: what the service took to answer, waiting for sound included.
    """

    complete: bool
    heard_until_s: float
    frames: int
    segments: tuple[Segment, ...]
    relevance: tuple[LabelMap, ...]
    explained: int
    tried: int
    held: int
    share_held: float | None
    most_trustworthy: tuple[RankedMoment, ...]
    least_trustworthy: tuple[RankedMoment, ...]
    warnings: tuple[SoundWarning, ...]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Everything but segments, warnings and maps, ready for `json.dumps`."""
        return {
            "complete": self.complete,
            "heard_until_s": self.heard_until_s,
            "frames": self.frames,
            "explained": self.explained,
            "explained_by_label": {each.label: each.explained for each in self.relevance},
            "tried": self.tried,
            "held": self.held,
            "share_held": self.share_held,
            "most_trustworthy": [asdict(each) for each in self.most_trustworthy],
            "least_trustworthy": [asdict(each) for each in self.least_trustworthy],
            "service_seconds": self.seconds,
        }
