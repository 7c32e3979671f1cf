"""Which label a detector's answer stands for: `vocal` at its threshold and above, `non-vocal` below."""

from __future__ import annotations

import math
from typing import overload

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


@overload
def is_vocal(probability: NDArray[np.floating], threshold: float) -> NDArray[np.bool_]: ...
@overload
def is_vocal(probability: Tensor, threshold: float) -> Tensor: ...
def is_vocal(probability: NDArray[np.floating] | Tensor, threshold: float) -> NDArray[np.bool_] | Tensor:
    """Whether each answer is labelled `vocal`; bool, in the shape of the answers.

    Args:
        probability: of singing; or logits, or their margins over the threshold's.
        threshold: in the same measure: `threshold_logit` for logits, 0 for margins.
    """
    return probability >= threshold


def threshold_logit(threshold: float) -> float:
    """A threshold between 0 and 1, exclusive, before the sigmoid."""
    return math.log(threshold / (1 - threshold))
