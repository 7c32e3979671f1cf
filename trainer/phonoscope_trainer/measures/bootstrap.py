"""How far scores would move with other songs: percentile intervals of the bootstrap over whole songs.

Frames of one song are alike, so songs are drawn, not frames (Efron & Tibshirani 1993, section 8.6). Every score here is
a ratio of sums over songs, or for AUC over pairs of songs, so no resample is ever put together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.measures.scores import Curve
from phonoscope_trainer.networks.label import is_vocal

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BootstrapOptions:
    """How often songs are drawn anew, and what the interval covers."""

    resamples: int = 2000
    level: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        if self.resamples < 1000:
            raise OptionsError(f"resamples is {self.resamples}; an interval needs 1000 or more")
        if not 0 < self.level < 1:
            raise OptionsError(f"level is {self.level:g}; it must lie between 0 and 1")


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a score lies, in as many resamples as the options' level says."""

    low: float
    high: float


BOOTSTRAP = BootstrapOptions()


def intervals(
    curves: Sequence[Curve], threshold: float, options: BootstrapOptions = BOOTSTRAP
) -> dict[str, Interval | None]:
    """Intervals of the pooled `auc`, `error` and `f1`; None where it cannot be told, as for a single song."""
    if len(curves) < 2:
        return dict.fromkeys(("auc", "error", "f1"))
    songs = len(curves)
    drawn = np.random.default_rng(options.seed).multinomial(songs, np.full(songs, 1 / songs), options.resamples)
    hits, alarms, sung, rest = (drawn @ _counts(curves, threshold)).T
    scores = {
        "auc": _ratio(np.einsum("ri,ij,rj->r", drawn, _outranked(curves), drawn, optimize=True), sung * rest),
        "error": _ratio(sung - hits + alarms, sung + rest),
        "f1": _ratio(2 * hits, hits + alarms + sung),
    }
    return {name: _interval(values, options.level) for name, values in scores.items()}


def interval_of_mean(values: Floats, options: BootstrapOptions = BOOTSTRAP) -> Interval:
    """Interval of the mean of `values` `[N]`, which are drawn one by one."""
    drawn = np.random.default_rng(options.seed).integers(len(values), size=(options.resamples, len(values)))
    interval = _interval(values[drawn].mean(axis=1), options.level)
    if interval is None:
        raise ValueError("every value is unknown")
    return interval


def _counts(curves: Sequence[Curve], threshold: float) -> Floats:
    """`[S, 4]` frames of each song: rightly called sung, wrongly called sung, sung, not sung."""
    rows = []
    for curve in curves:
        called = is_vocal(curve.smoothed, threshold)
        hits, sung = (called & curve.labels).sum(), curve.labels.sum()
        rows.append((hits, called.sum() - hits, sung, len(called) - sung))
    return np.array(rows, float)


def _outranked(curves: Sequence[Curve]) -> Floats:
    """`[S, S]` pairs of a sung frame of song i and an unsung one of song j that the sung one outranks; ties are half.

    The AUC of any multiset of songs with counts w is w·U·w over its number of pairs.
    """
    sung = np.concatenate([curve.smoothed[curve.labels] for curve in curves])
    song = np.repeat(np.arange(len(curves)), [curve.labels.sum() for curve in curves])
    columns = []
    for curve in curves:
        unsung = np.sort(curve.smoothed[~curve.labels])
        beaten = (np.searchsorted(unsung, sung, "left") + np.searchsorted(unsung, sung, "right")) / 2
        columns.append(np.bincount(song, beaten, len(curves)))
    return np.stack(columns, axis=1)


def _ratio(part: Floats, whole: Floats) -> Floats:
    """NaN where a resample holds nothing to divide by."""
    ratio: Floats = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return ratio


def _interval(values: Floats, level: float) -> Interval | None:
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    low, high = np.quantile(known, ((1 - level) / 2, (1 + level) / 2))
    return Interval(float(low), float(high))


def mean_interval(
    values: Floats, song: NDArray[np.int64], options: BootstrapOptions = BOOTSTRAP
) -> dict[str, float | None]:
    """`mean` of `values` `[N]`, one an excerpt, and `low` and `high` of its interval; None where one song is all.

    Args:
        values: `[N]`.
        song: `[N]` which song each is of, from 0, without gaps.
        options: how songs are drawn.
    """
    mean, songs = float(values.mean()), int(song.max()) + 1
    if songs < 2:
        return {"mean": mean, "low": None, "high": None}
    rng = np.random.default_rng(options.seed)
    drawn = rng.multinomial(songs, np.full(songs, 1 / songs), options.resamples).astype(float)
    found = _interval(_ratio(drawn @ np.bincount(song, values), drawn @ np.bincount(song)), options.level)
    assert found is not None
    return {"mean": mean, "low": found.low, "high": found.high}
