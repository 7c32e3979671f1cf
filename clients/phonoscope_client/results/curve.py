"""Where somebody sings in a recording, as a frozen dataclass of plain values and a NumPy array."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from phonoscope_client.results.archive import Archived
from phonoscope_client.results.parts import VOCAL, BundleReference, Floats, Label, SoundWarning, is_vocal
from phonoscope_client.results.segments import Segment


@dataclass(frozen=True, eq=False)  # arrays have no single truth value to compare by
class Curve(Archived):
    """What a listener says along a recording, such as the probability that somebody sings, at every frame.

    Attributes:
        bundle: the bundle that answered.
        probability: `[T]` float32 in [0, 1]; frame i starts at i / frames_per_second.
        frames_per_second: frames per second.
        threshold: a frame at or above this probability is called vocal, or `label`; 0 where the most probable label is
            the answer.
        warnings: what is wrong with the recording, where the answer may suffer from it.
        segments: what it is called, in order of time; none where that was not asked for.
        listener: that answered.
        label: whose curve it is; where there are two labels, `probability` is that of the first.
        contrast: another label that was named; None where there was none.
        labels: `[L]` the listener's, where there are more than two; else none.
        label_probability: `[T, L]` float32, the curve of each.
    """

    bundle: BundleReference
    probability: Floats
    frames_per_second: float
    threshold: float
    warnings: tuple[SoundWarning, ...] = ()
    segments: tuple[Segment, ...] = ()
    listener: str = "detector"
    label: Label = VOCAL
    contrast: Label | None = None
    labels: npt.NDArray[np.str_] = field(default_factory=lambda: np.zeros(0, np.str_))
    label_probability: Floats = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    @property
    def duration_s(self) -> float:
        """Seconds the frames span."""
        return len(self.probability) / self.frames_per_second

    @property
    def called(self) -> npt.NDArray[np.bool_]:
        """`[T]` which frames are called `label`, or, of two labels, the first."""
        if len(self.labels) and not self.threshold:
            return np.asarray(self.labels[self.label_probability.argmax(axis=1)] == self.label)
        return is_vocal(self.probability, self.threshold)

    @property
    def vocal_share(self) -> float:
        """Share of the frames called vocal, or whatever `called` is about, in [0, 1]."""
        return float(np.mean(self.called))

    @property
    def mean_probability(self) -> dict[Label, float]:
        """The mean of each label's curve; empty where there are two labels."""
        means = self.label_probability.mean(axis=0) if len(self.labels) else []
        return {str(label): float(str(np.float32(mean))) for label, mean in zip(self.labels, means, strict=True)}

    def to_json(self) -> dict[str, Any]:
        """The whole curve, ready for `json.dumps`."""
        return {
            "listener": self.listener,
            "label": self.label,
            "contrast": self.contrast,
            **({"labels": self.mean_probability} if len(self.labels) else {}),
            "frames_per_second": self.frames_per_second,
            "threshold": self.threshold,
            # The shortest decimals that name these float32 values; float64 ones are twice as long.
            "probability": [float(str(value)) for value in self.probability],
            "vocal_share": self.vocal_share,
            "warnings": [asdict(each) for each in self.warnings],
            "bundle": asdict(self.bundle),
            **({} if not self.segments else {"segments": [each.to_json() for each in self.segments]}),
        }
