"""Whether a probability means what it says: of the frames given .8, four in five should be sung."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phonoscope_trainer.measures.scores import Curve

BINS = 10


@dataclass(frozen=True, slots=True)
class Reliability:
    """Frames grouped by the probability they were given, in equally wide bins; empty bins are left out."""

    predicted: NDArray[np.float64]  # [K] mean probability given
    sung: NDArray[np.float64]  # [K] share that is sung
    frames: NDArray[np.int64]  # [K]

    @property
    def error(self) -> float:
        """Expected calibration error: the mean distance of `predicted` from `sung`, over frames."""
        return float(np.average(np.abs(self.predicted - self.sung), weights=self.frames))


def reliability(curves: Sequence[Curve]) -> Reliability:
    """Of the unsmoothed probabilities, which are what a service answers with, pooled over recordings."""
    probability = np.concatenate([curve.probability for curve in curves]).astype(np.float64)
    labels = np.concatenate([curve.labels for curve in curves])
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    frames = np.bincount(bins, minlength=BINS)
    met = frames > 0
    predicted, sung = (np.bincount(bins, values, BINS)[met] / frames[met] for values in (probability, labels))
    return Reliability(predicted, sung, frames[met])
