"""Where a detector works: its calibration and its threshold, both chosen on recordings that trained nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.measures.calibration import reliability
from phonoscope_trainer.measures.families import Heard, frame_weights
from phonoscope_trainer.measures.platt import platt
from phonoscope_trainer.measures.scores import Curve, best_threshold
from phonoscope_trainer.networks.label import is_vocal
from phonoscope_trainer.recipes.detector.calibration import Calibration, Family

RULE = (
    "least error of frames under the median filter; families count alike, in each the groups, in each group the frames"
)


class LogitMap(NamedTuple):
    """What a logit is multiplied with, and what is added to it."""

    scale: float = 1.0
    offset: float = 0.0


def operating_point(heard: Sequence[Heard], fixed: LogitMap | None = None) -> Calibration:
    """The calibration, fitted or `fixed`, and the threshold with the least error, every family counting alike.

    Raises:
        OptionsError: nobody sings in the recordings, or everybody all the time.
    """
    sung = {bool(label) for each in heard for label in np.unique(each.labels)}
    if len(sung) < 2:
        raise OptionsError("the valid splits need sung frames and others: the threshold is chosen there")
    weights = frame_weights(heard)
    logit, labels = (np.concatenate([getattr(each, name) for each in heard]) for name in ("logit", "labels"))
    scale, offset = fixed or platt(logit, labels, np.concatenate(weights))
    curves = [each.curve(scale, offset) for each in heard]
    threshold = best_threshold([(curve.probability, curve.labels) for curve in curves], weights)
    return Calibration(
        scale,
        offset,
        threshold,
        reliability(curves).error,
        reliability([each.curve() for each in heard]).error,
        RULE,
        dict(_families(heard, curves, threshold)),
    )


def _families(heard: Sequence[Heard], curves: Sequence[Curve], threshold: float) -> Iterable[tuple[str, Family]]:
    """What each family says at a threshold, in order of their names."""
    wrong: dict[str, dict[str, list[NDArray[np.bool_]]]] = {}
    for each, curve in zip(heard, curves, strict=True):
        called = is_vocal(curve.smoothed, threshold)
        wrong.setdefault(each.family, {}).setdefault(each.group, []).append(called != curve.labels)
    for family, groups in sorted(wrong.items()):
        errors = {group: float(np.concatenate(frames).mean()) for group, frames in groups.items()}
        worst = max(errors, key=errors.__getitem__)
        recordings = sum(map(len, groups.values()))
        yield family, Family(len(errors), recordings, float(np.mean(list(errors.values()))), worst, errors[worst])
