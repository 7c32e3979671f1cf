"""Where an error lies among those measured on the bundle's own validation excerpts."""

from __future__ import annotations

import numpy as np

from phonoscope_serving.tensors import Floats

OUT_OF_DISTRIBUTION_PERCENT = 99
QUANTILE_SHARES = np.linspace(0, 1, 101)  # of the quantiles a bundle gives


def percentile(error: float, quantiles: Floats) -> float:
    """The share of validation excerpts with a lower error, in [0, 1].

    Args:
        error: of one excerpt.
        quantiles: `[101]` ascending, 0 % to 100 % of the validation excerpts' errors.
    """
    return float(np.interp(error, quantiles, QUANTILE_SHARES))


def is_out_of_distribution(error: float, quantiles: Floats) -> bool:
    """Whether an error is larger than on 99 % of the validation excerpts; arguments as for `percentile`."""
    return error > float(quantiles[OUT_OF_DISTRIBUTION_PERCENT])
