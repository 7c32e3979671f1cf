"""How a listener comes from probabilities to a label, and when a label holds.

A listener gives K probabilities: one where it has two labels (`binary`), else one a label.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from phonoscope_serving.errors import InvalidRequest, Violation, shown
from phonoscope_serving.tensors import Floats

Kind = Literal["binary", "multi-class", "multi-label"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SMALLEST = float(np.finfo(np.float32).tiny)  # of a probability whose logarithm is taken


@dataclass(frozen=True)
class Decision:
    """Labels, and how one of them becomes the answer."""

    kind: Kind
    labels: tuple[str, ...]
    # A probability at or above it is enough: `binary` one, of the first label; `multi-label` one for each; else none.
    thresholds: tuple[float, ...] = ()

    @property
    def count(self) -> int:
        """How many probabilities there are."""
        return 1 if self.kind == "binary" else len(self.labels)

    def predicted(self, probability: Floats) -> int:
        """The number of the label that `probability` `[K]` means; of several that hold, the clearest."""
        if self.kind == "binary":
            return 0 if probability[0] >= np.float32(self.thresholds[0]) else 1
        if self.kind == "multi-class":
            return int(np.argmax(probability))
        return int(np.argmax(_log_odds(probability) - _log_odds(np.asarray(self.thresholds))))

    def of_labels(self, probability: Floats) -> Floats:
        """What `probability` `[..., K]` says of each label, `[..., labels]`."""
        if self.kind != "binary":
            return probability
        return np.concatenate([probability, 1 - probability], axis=-1)

    def log_odds(self, probability: Floats) -> Floats:
        """The natural logarithm of each label's probability over that of all else, `[..., labels]` as `of_labels`."""
        if self.kind != "multi-class":
            return _log_odds(self.of_labels(probability)).astype(np.float32)
        share = np.asarray(probability, np.float64)
        rest = share.sum(axis=-1, keepdims=True) - share
        # Beside a probability of nearly 1 the sum has lost the others, which are added up instead.
        others = [np.delete(share, label, axis=-1).sum(axis=-1) for label in range(share.shape[-1])]
        rest = np.where(share > 0.5, np.stack(others, axis=-1), rest)
        return (np.log(np.maximum(share, SMALLEST)) - np.log(np.maximum(rest, SMALLEST))).astype(np.float32)

    def check(self, label: str, contrast: str) -> None:
        """Whether there are labels of these names, of which either may be empty.

        Raises:
            InvalidRequest: there are none, or they are the same.
        """
        known = f"the listener's labels are {', '.join(self.labels)}"
        wrong = [
            Violation(field, f"is {shown(name)}; {known}")
            for field, name in (("label", label), ("contrast", contrast))
            if name and name not in self.labels
        ]
        if not wrong and contrast and contrast == label:
            wrong = [Violation("contrast", f"is {shown(contrast)}, as label is; {known}")]
        if wrong:
            raise InvalidRequest(wrong)

    def claim(self, label: str, contrast: str, probability: Floats) -> Claim:
        """What an answer is about: a label that is named, else the one that `probability` `[K]` means.

        Raises:
            InvalidRequest: the label to be contrasted with is that one.
        """
        number = self.labels.index(label) if label else self.predicted(probability)
        if contrast and self.labels[number] == contrast:
            raise InvalidRequest.at("contrast", f"is {shown(contrast)}, which is predicted; name another, or a label")
        return Claim(self, number, self.labels.index(contrast) if contrast else None)


@dataclass(frozen=True)
class Claim:
    """That a label is the answer, where there is a contrast rather than that one."""

    decision: Decision
    label: int
    contrast: int | None = None

    @property
    def name(self) -> str:
        """Of the label."""
        return self.decision.labels[self.label]

    @property
    def contrast_name(self) -> str:
        """Of the label it is contrasted with; empty where it is contrasted with all others."""
        return "" if self.contrast is None else self.decision.labels[self.contrast]

    @property
    def threshold(self) -> float:
        """The least probability that is enough, of what `probability` says; 0 where other labels decide."""
        thresholds = self.decision.thresholds
        if self.decision.kind == "binary":
            return thresholds[0]
        return thresholds[self.label] if thresholds and self.contrast is None else 0.0

    def probability(self, probability: Floats) -> Floats:
        """What answers say of `probability` `[..., K]`: of the label, or, of two labels, of the first."""
        return probability[..., 0 if self.decision.kind == "binary" else self.label]

    def holds(self, probability: Floats) -> npt.NDArray[np.bool_]:
        """Whether each of `probability` `[..., K]` float32 means the label."""
        if self.decision.kind == "binary":
            first = probability[..., 0] >= np.float32(self.decision.thresholds[0])
            return np.asarray(first if self.label == 0 else ~first)
        if self.contrast is not None:
            return np.asarray(probability[..., self.label] > probability[..., self.contrast])
        if self.decision.kind == "multi-label":
            return np.asarray(probability[..., self.label] >= np.float32(self.decision.thresholds[self.label]))
        return np.asarray(probability.argmax(axis=-1) == self.label)


def _log_odds(probability: Floats | npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    share = np.asarray(probability, np.float64)
    odds: npt.NDArray[np.float64] = np.log(np.maximum(share, SMALLEST)) - np.log(np.maximum(1 - share, SMALLEST))
    return odds
