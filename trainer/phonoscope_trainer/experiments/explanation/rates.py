"""How often labels change: pooled as in the paper, and with both classes counting the same; with intervals.

The explanation loss is N_E / N, the share of excerpts whose label changes (EUSIPCO 2018, section III.C). Excerpts of
one track are alike, so the bootstrap draws tracks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phonoscope_trainer.experiments.explanation.excerpts import Excerpts
from phonoscope_trainer.measures.bootstrap import BOOTSTRAP, BootstrapOptions

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rates:
    """Turns `[N]` values, one an excerpt, into rates with intervals."""

    is_vocal: NDArray[np.bool_]  # [N]
    track: NDArray[np.int64]  # [N] from 0, without gaps
    vocal_share: float
    drawn: Floats  # [R, S] how often each resample draws each track

    @classmethod
    def of(cls, excerpts: Excerpts, options: BootstrapOptions = BOOTSTRAP) -> Rates:
        """Rates over these excerpts; their tracks are drawn once for all measures, so that these can be compared."""
        _, track = np.unique(excerpts.track, return_inverse=True)
        tracks = int(track.max()) + 1
        rng = np.random.default_rng(options.seed)
        drawn = rng.multinomial(tracks, np.full(tracks, 1 / tracks), options.resamples).astype(float)
        return cls(excerpts.is_vocal, track, excerpts.vocal_share, drawn)

    def balanced(self, values: NDArray[np.generic]) -> dict[str, float]:
        """`mean` over both classes, weighted alike, and `low` and `high` of its 95 % interval."""
        return self._weighted(values, 0.5)

    def pooled(self, values: NDArray[np.generic]) -> dict[str, float]:
        """The same, with each class as frequent as among places drawn at random."""
        return self._weighted(values, self.vocal_share)

    def per_class(self, values: NDArray[np.generic]) -> dict[str, float]:
        """The means of `vocal` and of `non_vocal` excerpts."""
        found = np.asarray(values, float)
        return {
            name: float(found[self.is_vocal == vocal].mean()) for name, vocal in (("vocal", True), ("non_vocal", False))
        }

    def _weighted(self, values: NDArray[np.generic], vocal_share: float) -> dict[str, float]:
        found, tracks = np.asarray(values, float), self.drawn.shape[1]
        resampled = np.zeros(len(self.drawn))
        mean = 0.0
        for vocal, share in ((True, vocal_share), (False, 1 - vocal_share)):
            rows = self.is_vocal == vocal
            total = self.drawn @ np.bincount(self.track[rows], found[rows], tracks)
            count = self.drawn @ np.bincount(self.track[rows], minlength=tracks)
            resampled += share * np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
            mean += share * float(found[rows].mean())
        tail = (1 - BOOTSTRAP.level) / 2
        low, high = np.nanquantile(resampled, (tail, 1 - tail))
        return {"mean": mean, "low": float(low), "high": float(high)}
