"""How alike two relevance maps are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.stats import rankdata

Floats = NDArray[np.float64]
SSIM_SIGMA, SSIM_REACH = 1.5, 3.5  # bins, and standard deviations: windows of 11 × 11
SSIM_C1, SSIM_C2 = 0.01**2, 0.03**2  # of values between 0 and 1


def rank_correlation(one: NDArray[np.floating], other: NDArray[np.floating]) -> Floats:
    """`[B]` Spearman's correlation of maps `[B, T, M]`; a constant map is like no other: 0."""
    ranked = [rankdata(maps.reshape(len(maps), -1), axis=1) for maps in (one, other)]
    centred = [each - each.mean(axis=1, keepdims=True) for each in ranked]
    norms = np.prod([np.sqrt((each**2).sum(axis=1)) for each in centred], axis=0)
    product = (centred[0] * centred[1]).sum(axis=1)
    correlation: Floats = np.divide(product, norms, out=np.zeros(len(one)), where=norms > 0)
    return correlation


def structural_similarity(one: NDArray[np.floating], other: NDArray[np.floating]) -> Floats:
    """`[B]` mean SSIM (Wang et al. 2004, Eq. 13) of maps `[B, T, M]`, each brought to [0, 1] by its own extremes."""
    x, y = _normalised(one), _normalised(other)
    mean_x, mean_y = _local_mean(x), _local_mean(y)
    variance_x, variance_y = _local_mean(x * x) - mean_x**2, _local_mean(y * y) - mean_y**2
    covariance = _local_mean(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + SSIM_C1) / (mean_x**2 + mean_y**2 + SSIM_C1)
    structure = (2 * covariance + SSIM_C2) / (variance_x + variance_y + SSIM_C2)
    return np.asarray((luminance * structure).mean(axis=(1, 2)))


def overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> Floats:
    """`[B]` intersection over union of regions `[B, T, M]`; 1 of two empty ones."""
    union = (one | other).sum(axis=(1, 2))
    both = (one & other).sum(axis=(1, 2))
    shared: Floats = np.divide(both, union, out=np.ones(len(one)), where=union > 0)
    return shared


def _local_mean(maps: Floats) -> Floats:
    return np.asarray(gaussian_filter(maps, (0, SSIM_SIGMA, SSIM_SIGMA), truncate=SSIM_REACH))


def _normalised(maps: NDArray[np.floating]) -> Floats:
    values = maps.astype(float)
    low, high = values.min(axis=(1, 2), keepdims=True), values.max(axis=(1, 2), keepdims=True)
    return np.asarray((values - low) / np.where(high > low, high - low, 1))
