"""Exchange with other music, written out slowly: whole numbers without a limit, a sort, bin by bin, in float64."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FRAMES, BANDS = 115, 80
FLOOR = math.log(1e-7)


def reference_draw(seed: int, draw: int, excerpts: int) -> tuple[int, int, int]:
    """The numbers of host, third excerpt and other region."""

    def following(state: int) -> int:
        return (state * 7213 + 12345) % 512**2

    first = following(following(following(seed % 512**2)))
    second = following(first)
    third = following(second)

    def below(state: int, count: int) -> int:
        return int(state // 512 / 512 * count)

    host = (below(first, excerpts) + draw) % excerpts
    return host, (host + 1 + below(second, excerpts - 1)) % excerpts, (below(third, excerpts) + draw) % excerpts


def loudness(log_mel: NDArray[np.float64]) -> float:
    """The root mean square of all mel magnitudes."""
    return math.sqrt(np.mean([math.exp(value) ** 2 for value in log_mel.ravel()]))


def as_loud(other: NDArray[np.float64], log_mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Other music at the level of an excerpt, as log-mel."""
    return np.maximum(np.log(np.exp(other) * (loudness(log_mel) / loudness(other))), FLOOR)


def most_relevant(relevance: NDArray[np.float64], bins: int) -> NDArray[np.bool_]:
    """So many of the most relevant bins; of equal ones the later."""
    order = relevance.ravel().argsort(kind="stable")
    inside = np.zeros(relevance.size, bool)
    inside[order[len(order) - bins :]] = True
    return inside.reshape(relevance.shape)


def reference_picture(
    trial: str,
    log_mel: NDArray[np.float64],
    region: NDArray[np.bool_],
    host: NDArray[np.float64],
    third: NDArray[np.float64],
    other_relevance: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The log-mel `[T, M]` that is tried; host and third as the bank has them."""
    host, third = as_loud(host, log_mel), as_loud(third, log_mel)
    if trial == "shifted":
        region = np.array([region[(frame - 57) % FRAMES] for frame in range(FRAMES)])
    if trial == "other":
        region = most_relevant(other_relevance, int(region.sum()))
    inside, outside = {"silhouette": (third, host), "removed": (host, log_mel)}.get(trial, (log_mel, host))
    picture = np.empty((FRAMES, BANDS))
    for frame in range(FRAMES):
        for band in range(BANDS):
            picture[frame, band] = (inside if region[frame, band] else outside)[frame, band]
    return picture
