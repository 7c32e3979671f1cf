"""Probabilities that mean what they say: Platt's sigmoid, fitted to recordings that trained nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

STRONGEST_SCALE = 10.0  # and weakest 1/10: beyond, a detector is not ill calibrated but deaf


def platt(logit: NDArray[np.floating], labels: NDArray[np.bool_], weights: NDArray[np.float64]) -> tuple[float, float]:
    """The scale, above 0, and the offset that make sigmoid(scale·logit + offset) the chance that a frame is sung.

    They minimise the weighted cross-entropy against Platt's targets, which are less than certain by what so many frames
    leave open (Platt, *Probabilistic outputs for support vector machines*, 1999, section 2.2). A larger logit stays
    the larger probability, so no ranking changes, and both numbers fit into the last layer of a network.

    Args:
        logit: `[N]`.
        labels: `[N]` whether each frame is sung.
        weights: `[N]` how much each frame counts; they add up to one.
    """
    sung = int(labels.sum())
    target = np.where(labels, (sung + 1) / (sung + 2), 1 / (len(labels) - sung + 2))
    x = logit.astype(np.float64)

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        log_scale, offset = parameters
        z = np.exp(log_scale) * x + offset
        slope = weights * (expit(z) - target)
        return float(weights @ (np.logaddexp(0, z) - target * z)), np.array([slope @ (z - offset), slope.sum()])

    limit = np.log(STRONGEST_SCALE)
    found = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B", bounds=((-limit, limit), (None, None)))
    return float(np.exp(found.x[0])), float(found.x[1])
