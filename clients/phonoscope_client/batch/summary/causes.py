"""Near duplicates of one cause: explanations whose regions lie alike, in frequency and in how they come and go.

Where a region begins in its excerpt is of no account, so its pattern in time is described by its autocorrelation, which
a shift leaves as it is. Explanations are taken in the order they are given in; each joins the first cluster whose first
member is like it, or begins one (leader clustering, Hartigan 1975): what leads the list stays where it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BAND_GROUPS, LAGS = 16, 16
ALIKE = 0.9  # cosine of two descriptions
MOST_OF_IT = 0.8  # of the frames: then it goes all through

Mask = npt.NDArray[np.bool_]
Description = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Cause:
    """Explanations whose regions lie alike.

    Attributes:
        members: their numbers in the order they were given in, the leader first.
        pattern: how they come and go, in words, as the leader does.
    """

    members: tuple[int, ...]
    pattern: str


def causes(masks: Sequence[Mask], alike: float = ALIKE) -> list[Cause]:
    """Clusters of regions, the largest first, of equally large ones that which was begun first.

    Args:
        masks: `[T, M]` each, True inside the region, lowest band first.
        alike: cosine at which two regions lie alike.
    """
    leaders: list[Description] = []
    members: list[list[int]] = []
    for number, mask in enumerate(masks):
        own = described(mask)
        likeness = [float(own @ leader) for leader in leaders]
        if likeness and max(likeness) >= alike:
            members[int(np.argmax(likeness))].append(number)
        else:
            leaders.append(own)
            members.append([number])
    found = [Cause(tuple(each), pattern(masks[each[0]])) for each in members]
    return sorted(found, key=lambda cause: -len(cause.members))


def described(mask: Mask) -> Description:
    """Where a region lies: how it spreads over groups of bands, and the autocorrelation of its area in time.

    Each half is of length √½, so that the scalar product of two descriptions is the mean cosine of their halves.
    """
    groups = np.array([group.mean() for group in np.array_split(mask.mean(axis=0), min(BAND_GROUPS, mask.shape[1]))])
    area = mask.mean(axis=1)
    lags = np.linspace(0, len(area) // 2, LAGS).astype(int)
    repeats = np.array([area[: len(area) - lag] @ area[lag:] / (len(area) - lag) for lag in lags])
    return np.concatenate([_of_length(groups), _of_length(repeats)])


def pattern(mask: Mask) -> str:
    """How a region comes and goes."""
    inside = mask.any(axis=1)
    if not inside.any():
        return "nowhere"
    if inside.mean() >= MOST_OF_IT:
        return "all through"
    stretches = int(np.count_nonzero(np.diff(np.concatenate([[False], inside]).astype(int)) == 1))
    return "in one stretch" if stretches == 1 else f"in {stretches} stretches"


def _of_length(values: npt.NDArray[np.float64]) -> Description:
    length = float(np.linalg.norm(values))
    return values * (np.sqrt(0.5) / length) if length else values
