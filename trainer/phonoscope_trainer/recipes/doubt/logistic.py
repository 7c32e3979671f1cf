"""Logistic regression of a few numbers, families counting alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

Floats = NDArray[np.float64]
PENALTY = 1e-4  # on the squares of weights, of features that are scaled to a variance of one


def logistic(x: Floats, is_so: NDArray[np.bool_], weights: Floats) -> tuple[Floats, float]:
    """Weights `[D]` and the offset with which sigmoid(x·w + b) is the chance that something is so.

    They minimise the weighted mean cross-entropy against Platt's targets, with a small penalty (Platt 1999, sec. 2.2).

    Args:
        x: `[N, D]`.
        is_so: `[N]`, both values among them.
        weights: `[N]` how much each row counts.
    """
    centre, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-9)
    z, share = (x - centre) / scale, weights / weights.sum()
    so = int(is_so.sum())
    target = np.where(is_so, (so + 1) / (so + 2), 1 / (len(is_so) - so + 2))

    def loss(parameters: Floats) -> tuple[float, Floats]:
        slope, offset = parameters[:-1], parameters[-1]
        logit = z @ slope + offset
        residual = share * (expit(logit) - target)
        gradient = np.append(residual @ z + 2 * PENALTY * slope, residual.sum())
        return float(share @ (np.logaddexp(0, logit) - target * logit) + PENALTY * slope @ slope), gradient

    found = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B").x
    slope: Floats = found[:-1] / scale
    return slope, float(found[-1] - slope @ centre)


def alike(sizes: Sequence[int]) -> Floats:
    """`[N]` weights with which groups of these sizes count alike, one after another; together 1."""
    return np.concatenate([np.full(size, 1 / size / len(sizes)) for size in sizes])
