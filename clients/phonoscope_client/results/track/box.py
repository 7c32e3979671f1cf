"""Where in time and frequency most of a region lies, for what knows boxes alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from phonoscope_client.results.parts import Floats

_TAIL = 0.1  # of a region's bins, left out at each of its four sides: a few stray bins move no side


@dataclass(frozen=True)
class Box:
    """A stretch of time and frequency: seconds of the recording, and hertz."""

    start_s: float
    end_s: float
    low_hz: float
    high_hz: float


def box(mask: npt.NDArray[np.bool_], start_s: float, frames_per_second: float, band_centre_hz: Floats) -> Box | None:
    """The middle four fifths of a `[T, M]` region's bins in time, and likewise in frequency; None of an empty one.

    Args:
        mask: True inside the region.
        start_s: start of the first frame, in seconds of the recording; what lies before 0 is cut off.
        frames_per_second: frames per second.
        band_centre_hz: `[M]` centre frequencies; a band ends half-way to its neighbours, the outermost at their own.
    """
    if not mask.any():
        return None
    first, last = _middle(mask.sum(axis=1))
    lowest, highest = _middle(mask.sum(axis=0))
    between = (band_centre_hz[1:] + band_centre_hz[:-1]) / 2
    edges_hz = np.concatenate([band_centre_hz[:1], between, band_centre_hz[-1:]])
    return Box(
        start_s=max(0.0, start_s + first / frames_per_second),
        end_s=max(0.0, start_s + (last + 1) / frames_per_second),
        low_hz=float(edges_hz[lowest]),
        high_hz=float(edges_hz[highest + 1]),
    )


def _middle(counts: npt.NDArray[np.int_]) -> tuple[int, int]:
    """First and last place between which all but a tenth at either end lies."""
    share = np.cumsum(counts) / counts.sum()
    return int(np.searchsorted(share, _TAIL, side="right")), int(np.searchsorted(share, 1 - _TAIL))
