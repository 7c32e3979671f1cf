"""Bootstrap intervals against resamples that are really put together, and calibration against its definition."""

from __future__ import annotations

import numpy as np
import pytest
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.measures.bootstrap import BootstrapOptions, intervals
from phonoscope_trainer.measures.calibration import reliability
from phonoscope_trainer.measures.scores import Curve, auc, pooled, scores

RNG = np.random.default_rng(3)


def curve(frames: int, quality: float, sung: float) -> Curve:
    """A song whose sung frames are given more, by `quality`; values are coarse, so that there are ties."""
    labels = RNG.random(frames) < sung
    probability = np.round(np.clip(RNG.normal(0.4 + quality * labels, 0.2), 0, 1), 2)
    return Curve(probability, probability, labels)


SONGS = [curve(frames, quality, sung) for frames, quality, sung in ((90, 0.1, 0.5), (60, 0.5, 0.3), (120, 0.2, 0.0))]
SONGS += [curve(80, 0.3, 1.0), curve(40, 0.4, 0.6)]


def reference(seed: int, resamples: int) -> dict[str, tuple[float, float]]:
    """Each resample concatenated and scored like any other set of songs."""
    drawn = np.random.default_rng(seed).multinomial(len(SONGS), np.full(len(SONGS), 1 / len(SONGS)), resamples)
    values = {"auc": [], "error": [], "f1": []}
    for counts in drawn:
        frames = pooled([song for song, count in zip(SONGS, counts, strict=True) for _ in range(count)])
        found = scores(*frames, 0.5)
        values["auc"].append(auc(*frames))
        values["error"].append(found.error)
        values["f1"].append(found.f1)
    known = {name: [v for v in column if v is not None and not np.isnan(v)] for name, column in values.items()}
    return {name: tuple(np.quantile(column, (0.05, 0.95))) for name, column in known.items()}


def test_intervals_are_those_of_resamples_that_are_put_together():
    found = intervals(SONGS, 0.5, BootstrapOptions(resamples=1000, level=0.9, seed=7))
    for name, (low, high) in reference(7, 1000).items():
        assert (found[name].low, found[name].high) == pytest.approx((low, high), abs=1e-12), name


def test_the_same_seed_gives_the_same_interval_and_another_one_hardly_another():
    first, again, other = (intervals(SONGS, 0.5, BootstrapOptions(seed=seed)) for seed in (1, 1, 2))
    assert first == again
    assert first["auc"].low == pytest.approx(other["auc"].low, abs=0.05)


def test_one_song_has_no_interval_and_songs_of_one_class_no_auc():
    assert intervals(SONGS[:1], 0.5) == {"auc": None, "error": None, "f1": None}
    assert intervals([SONGS[2], SONGS[2]], 0.5)["auc"] is None


@pytest.mark.parametrize(
    ("options", "complaint"), [({"resamples": 100}, "resamples is 100"), ({"level": 1.0}, "level is 1")]
)
def test_an_interval_from_too_little_is_refused(options, complaint):
    with pytest.raises(OptionsError, match=complaint):
        BootstrapOptions(**options)


def test_calibration_compares_the_mean_probability_of_each_tenth_with_its_sung_share():
    probability = np.array([0.05, 0.07, 0.55, 0.51, 1.0])
    labels = np.array([False, True, True, True, True])
    found = reliability([Curve(probability, probability, labels)])
    np.testing.assert_allclose(found.predicted, [0.06, 0.53, 1.0])
    np.testing.assert_allclose(found.sung, [0.5, 1.0, 1.0])
    assert found.frames.tolist() == [2, 2, 1]
    assert found.error == pytest.approx((2 * 0.44 + 2 * 0.47) / 5)


def test_a_probability_that_means_what_it_says_has_no_calibration_error():
    probability = RNG.random(200_000)
    labels = RNG.random(200_000) < probability
    assert reliability([Curve(probability, probability, labels)]).error < 0.01
