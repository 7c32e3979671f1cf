"""A recording as stretches of one label each, with what came of the explanations in them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from phonoscope_client.results.parts import Label


@dataclass(frozen=True)
class SegmentTrust:
    """What came of the explanations in a segment.

    Attributes:
        explained: how many moments in it were explained.
        tried: on how many of their regions something was tried.
        held: how many of those explanations hold.
        mean_doubt: mean doubt about its moments, in [0, 1]; None where none was explained, or the bundle cannot tell.
    """

    explained: int
    tried: int
    held: int
    mean_doubt: float | None

    @property
    def share_held(self) -> float | None:
        """Share of the explanations tried that hold, in [0, 1]; None where none was."""
        return self.held / self.tried if self.tried else None


@dataclass(frozen=True)
class Segment:
    """A stretch of one label.

    Attributes:
        start_s: where it begins, in seconds from the recording's start.
        end_s: where it ends: where the next one begins.
        label: what it is called.
        mean_confidence: mean, over its frames, of the probability of its label, not smoothed, in [0, 1].
        trust: how far what lies in it was explained; None where nothing was to be.
    """

    start_s: float
    end_s: float
    label: Label
    mean_confidence: float
    trust: SegmentTrust | None = None

    def to_json(self) -> dict[str, Any]:
        """Everything, ready for `json.dumps`."""
        said = asdict(self)
        if self.trust is not None:
            said["trust"]["share_held"] = self.trust.share_held
        return said
