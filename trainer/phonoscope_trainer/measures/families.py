"""How much each frame counts where recordings of many sorts decide together.

Pooled frames let the longest corpus decide, and in it the artist with most songs. Here every family of recordings (a
corpus, or one kind of recording in it) counts as much as another, in it every group (artist or source) as much as
another, and in that every frame: what is chosen so must do for singers it never met, not for those it met most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from phonoscope_trainer.measures.scores import Curve, smooth


@dataclass(frozen=True, slots=True)
class Heard:
    """One recording of a family as a detector heard it, before any filter."""

    family: str
    group: str  # artist or source
    logit: NDArray[np.floating]  # [T]
    labels: NDArray[np.bool_]  # [T] whether somebody sings

    def curve(self, scale: float = 1.0, offset: float = 0.0) -> Curve:
        """The same as probabilities, sigmoid(scale·logit + offset), and under the protocol's filter."""
        probability = expit(scale * self.logit + offset)
        return Curve(probability, smooth(probability), self.labels)


def frame_weights(heard: Sequence[Heard]) -> list[NDArray[np.float64]]:
    """`[T]` for each recording; over all of them they add up to one."""
    frames: dict[tuple[str, str], int] = {}
    for each in heard:
        frames[each.family, each.group] = frames.get((each.family, each.group), 0) + len(each.labels)
    families = [family for family, _ in frames]
    parts = {key: 1 / (len(set(families)) * families.count(key[0]) * count) for key, count in frames.items()}
    return [np.full(len(each.labels), parts[each.family, each.group]) for each in heard]
