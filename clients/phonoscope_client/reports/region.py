"""The region of an explanation: drawn over its spectrogram, and in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from phonoscope_client.results.explanation import Explanation
from phonoscope_client.results.wording import percent

MOST_BORDERS = 0.3  # between a bin inside and one outside, for each bin, for a region to be outlined


@dataclass(frozen=True)
class RegionOverlay:
    """What lies over a spectrogram: what is outside the region, its edge, and the moment asked about.

    Attributes:
        frames: width of the spectrogram.
        bands: its height.
        outside: SVG path of what is to be dimmed.
        edge: SVG path of the outline; empty where there is none.
        moment: frames from the left to the moment.
    """

    frames: int
    bands: int
    outside: str
    edge: str
    moment: float


def region_overlay(explanation: Explanation) -> RegionOverlay:
    """What is drawn over the spectrogram of an explanation."""
    mask = explanation.mask
    frames, bands = mask.shape
    # Lines around every one of many scattered bins would hide what they are to show.
    edge = outline(mask) if is_compact(mask) else ""
    # In the middle of the frame that carries the answer.
    moment = (explanation.at_s - explanation.axes.start_s) * explanation.axes.frames_per_second + 0.5
    return RegionOverlay(frames, bands, area(~mask), edge, moment)


def location(explanation: Explanation) -> str:
    """The size of the region, and the frequencies its middle four fifths lie between, in words."""
    bins_of_band = explanation.mask.sum(axis=0)
    if not bins_of_band.any():
        return "it is empty"
    share = np.cumsum(bins_of_band) / bins_of_band.sum()
    low, high = np.searchsorted(share, [0.1, 0.9])
    centres = explanation.axes.band_centre_hz
    size = percent(explanation.trust.relative_area)
    return f"{size} of it, mostly between {centres[low]:.0f} and {centres[high]:.0f} hertz"


def is_compact(mask: npt.NDArray[np.bool_]) -> bool:
    """Whether neighbouring bins of a `[T, M]` region rarely differ in being inside or outside it."""
    borders = np.count_nonzero(mask[1:] != mask[:-1]) + np.count_nonzero(mask[:, 1:] != mask[:, :-1])
    return bool(borders < MOST_BORDERS * mask.size)


def outline(mask: npt.NDArray[np.bool_]) -> str:
    """The edges of a `[T, M]` region as an SVG path; x counts frames, y bands from the highest down."""
    region = np.pad(mask.T[::-1], 1)  # [M, T], the highest band first, as a picture's rows
    across = [f"M{first} {row}H{last}" for row, first, last in _runs(region[1:, 1:-1] != region[:-1, 1:-1])]
    down = [f"M{column} {first}V{last}" for column, first, last in _runs((region[1:-1, 1:] != region[1:-1, :-1]).T)]
    return "".join(across + down)


def area(mask: npt.NDArray[np.bool_]) -> str:
    """The inside of a `[T, M]` region as an SVG path, one rectangle a run of bins; axes as in `outline`."""
    return "".join(f"M{first} {row}H{last}v1H{first}z" for row, first, last in _runs(mask.T[::-1]))


def _runs(rows: npt.NDArray[np.bool_]) -> list[tuple[int, int, int]]:
    """Row, first and past-the-last column of every run of True."""
    changes = np.diff(np.pad(rows, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    row, edge = np.nonzero(changes)
    return [
        (int(row[i]), int(edge[i]), int(edge[i + 1])) for i in range(0, len(row), 2)
    ]  # edges alternate: a start, then its end
