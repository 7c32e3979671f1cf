"""Where somebody sings in a recording, as a frozen dataclass of plain values and a NumPy array."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from phonoscope_client.results.archive import Archived
from phonoscope_client.results.parts import BundleReference, Floats, SoundWarning, is_vocal
from phonoscope_client.results.segments import Segment


@dataclass(frozen=True, eq=False)  # arrays have no single truth value to compare by
class Curve(Archived):
    """The probability that somebody sings, at every frame of a recording.

    Attributes:
        bundle: the bundle that answered.
        probability: `[T]` float32 in [0, 1]; frame i starts at i / frames_per_second.
        frames_per_second: frames per second.
        threshold: a frame at or above this probability is called vocal.
        warnings: what is wrong with the recording, where the answer may suffer from it.
        segments: what it is called, in order of time; none where that was not asked for.
    """

    bundle: BundleReference
    probability: Floats
    frames_per_second: float
    threshold: float
    warnings: tuple[SoundWarning, ...] = ()
    segments: tuple[Segment, ...] = ()

    @property
    def duration_s(self) -> float:
        """Seconds the frames span."""
        return len(self.probability) / self.frames_per_second

    @property
    def vocal_share(self) -> float:
        """Share of the frames called vocal, in [0, 1]."""
        return float(np.mean(is_vocal(self.probability, self.threshold)))

    def to_json(self) -> dict[str, Any]:
        """The whole curve, ready for `json.dumps`."""
        return {
            "frames_per_second": self.frames_per_second,
            "threshold": self.threshold,
            # The shortest decimals that name these float32 values; float64 ones are twice as long.
            "probability": [float(str(value)) for value in self.probability],
            "vocal_share": self.vocal_share,
            "warnings": [asdict(each) for each in self.warnings],
            "bundle": asdict(self.bundle),
            **({} if not self.segments else {"segments": [each.to_json() for each in self.segments]}),
        }
