"""Pictures that agree but for a few bins."""

from __future__ import annotations

import numpy as np

FEW = 0.01  # of all bins


def assert_nearly_close(found, expected, *, atol, rtol, err_msg=""):
    """Close, but for a hundredth of the bins.

    Rounding, which differs between processors and engines, puts a unit of thousands on the other side of its kink,
    moves one of two maxima that are all but tied, or a bin across a threshold. Of fewer than a hundred numbers every
    one counts.
    """
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    assert found.shape == expected.shape, f"{err_msg}: {found.shape}, not {expected.shape}"
    off = ~(np.abs(found - expected) <= atol + rtol * np.abs(expected))
    assert off.mean() <= FEW, f"{err_msg}: {off.mean():.2%} are off, by up to {np.abs(found - expected).max():.3g}"
