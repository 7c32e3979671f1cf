"""Which label each frame of a curve is given, and how surely: one of two by a threshold, or the most probable."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from phonoscope_serving.bundle.listeners.listener import Listener
from phonoscope_serving.errors import InvalidRequest
from phonoscope_serving.tensors import Floats

Numbers = npt.NDArray[np.int_]


@dataclass(frozen=True)
class Naming:
    """The labels a curve is called by, and how it comes to one of them."""

    labels: tuple[str, ...]
    threshold: float | None = None  # of two labels: at or above it, the first is given; None: the most probable of all
    column: int = 0  # of two labels: which of the listener's probabilities is that of the first

    def at(self, threshold: float | None) -> Naming:
        """The same by another threshold; None for its own."""
        return self if threshold is None else replace(self, threshold=threshold)

    def shares(self, probability: Floats) -> Floats:
        """The probability of each label, `[N, labels]`, of what a listener says, `[N, K]`."""
        if self.threshold is None:
            return probability
        first = probability[:, self.column, None]
        return np.concatenate([first, 1 - first], axis=1)

    def given(self, shares: Floats) -> Numbers:
        """The number of the label that each of `shares` `[N, labels]` means, `[N]`."""
        if self.threshold is None:
            return np.asarray(shares.argmax(axis=1))
        return np.where(shares[:, 0] >= np.float32(self.threshold), 0, 1)

    def of_sums(self, sums: tuple[float, ...], frames: int) -> int:
        """The label of so many frames, whose shares add up to `sums`."""
        if self.threshold is None:
            return int(np.argmax(sums))
        return 0 if sums[0] / frames >= self.threshold else 1

    def certainty(self, shares: Floats) -> Floats:
        """How far `shares` `[N, labels]` are from another label, in [0, 1], `[N]`.

        By a threshold: of as far as they can be on their side of it. Else: how far the most probable is ahead.
        """
        if self.threshold is None:
            ranked = np.sort(shares, axis=1)
            return (ranked[:, -1] - ranked[:, -2]).astype(np.float32)
        first, threshold = shares[:, 0], self.threshold
        above, below = (first - threshold) / (1 - threshold), (threshold - first) / threshold
        return np.where(first >= threshold, above, below).astype(np.float32)


def naming_of(listener: Listener, label: str) -> Naming:
    """How a curve of a listener is named, where `label`, which is empty or its own, is asked for.

    Raises:
        InvalidRequest: any number of its labels may hold, and none is asked for.
    """
    decision = listener.decision
    match decision.kind:
        case "binary":
            return Naming(decision.labels, decision.thresholds[0])
        case "multi-class":
            return Naming(decision.labels)
    if not label:
        any_number = f"of {listener.name} any number may hold at once, and a curve is decided upon by one"
        raise InvalidRequest.at("label", f"is missing: {any_number}; name one of {', '.join(decision.labels)}")
    number = decision.labels.index(label)
    return Naming((label, f"not {label}"), decision.thresholds[number], number)
