"""How far apart two sets of activations are: the Fréchet distance of their normal distributions.

Heusel et al. 2017, Eq. 6; for scalar responses Mishra et al. 2019, Eq. 3.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


def frechet_distance(real: Floats, generated: Floats) -> float:
    """‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2·(Σ₁Σ₂)^½), covariances unbiased.

    Args:
        real: `[N, F]` features, or `[N]` scalar responses; at least two.
        generated: `[N', F]` or `[N']`, likewise.
    """
    one, other = (np.asarray(x, np.float64).reshape(len(x), -1) for x in (real, generated))
    covariances = [np.atleast_2d(np.cov(x, rowvar=False)) for x in (one, other)]
    shift = one.mean(axis=0) - other.mean(axis=0)
    # The trace of (Σ₁Σ₂)^½ is that of (Σ₁^½ Σ₂ Σ₁^½)^½, which is symmetric: no complex square root.
    root = _root(covariances[0])
    overlap = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ covariances[1] @ root), 0)).sum()
    return float(shift @ shift + np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * overlap)


def _root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """The symmetric square root of a covariance."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T)
