"""What is made of outcomes: percentiles, counts, and whether an answer is the one that it should be."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from phonoscope.v1 import explanation_pb2

from soak.asking import Outcome

TOLERANCE = 0.01  # of a probability or an area: batches of other sizes are rounded otherwise
OTHER_BINS = 0.02  # share of a region whose bins a last bit may decide


@dataclass(frozen=True)
class Numbers:
    """What an explanation says, as far as it tells one bundle from another."""

    bundle: str
    digest: str
    scalars: tuple[float, ...]
    inside: bytes

    def agrees(self, other: Numbers) -> bool:
        """Whether both are answers of one bundle to one question."""
        if (self.bundle, self.digest, len(self.inside)) != (other.bundle, other.digest, len(other.inside)):
            return False
        apart = sum(a != b for a, b in zip(self.inside, other.inside, strict=True)) / max(1, len(self.inside))
        near = all(math.isclose(a, b, abs_tol=TOLERANCE) for a, b in zip(self.scalars, other.scalars, strict=True))
        return near and apart <= OTHER_BINS


def numbers(answer: bytes) -> Numbers:
    """Those of one answer."""
    said = explanation_pb2.ExplainResponse.FromString(answer)
    trust = said.trust
    scalars = (said.threshold, said.alpha, trust.probability, trust.masked_probability, trust.relative_area)
    return Numbers(said.bundle.name, said.bundle.digest, scalars, said.region.inside)


def wrong(outcomes: Iterable[Outcome], right: Sequence[Numbers]) -> int:
    """How many answers are none of those they may be."""
    found: dict[bytes, bool] = {}
    count = 0
    for each in outcomes:
        if each.status == "OK":
            if each.answer not in found:
                found[each.answer] = any(numbers(each.answer).agrees(expected) for expected in right)
            count += not found[each.answer]
    return count


def answered(outcomes: Iterable[Outcome]) -> list[float]:
    """Seconds of every call that was answered."""
    return [each.seconds for each in outcomes if each.status == "OK"]


def percentile(seconds: Sequence[float], percent: float) -> float:
    """In seconds; infinite where there is nothing to take it of."""
    return float(np.percentile(seconds, percent)) if len(seconds) else math.inf


def unexpected(outcomes: Iterable[Outcome], *also: str) -> Counter[str]:
    """Calls that ended neither in an answer nor in a refusal with a hint, by status.

    Args:
        outcomes: of the calls.
        also: names of further statuses that a caller must be ready for.
    """
    fine = ("OK", *also)
    return Counter(each.status for each in outcomes if each.status not in fine and not each.is_refusal)


def counts(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Calls by status."""
    return dict(Counter(each.status for each in outcomes))
