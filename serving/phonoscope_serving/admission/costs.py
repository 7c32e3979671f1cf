"""What requests have cost the engine, and are expected to cost."""

from __future__ import annotations

from phonoscope_serving.admission.work import Kind, Work

RECENT = 0.2  # how much the last request counts, among all before
RISING = 1.02  # the least a request costs grows so much with each that cost more
DOUBT = 0.9


class Costs:
    """Recent averages, in engine seconds; 0 before there was any."""

    def __init__(self) -> None:
        self._requests: dict[Kind, float] = {}
        self._least: dict[Kind, float] = {}
        self._units: dict[tuple[Kind, str], float] = {}

    def request_s(self, kind: Kind) -> float:
        """Of a request of which nothing but the kind is known."""
        return self._requests.get(kind, 0.0)

    def least_s(self, kind: Kind) -> float:
        """Of the least one."""
        return self._least.get(kind, 0.0)

    def unit_s(self, kind: Kind, variant: str) -> float:
        """Of a unit; see `Work.units`."""
        return self._units.get((kind, variant), 0.0)

    def learn(self, work: Work) -> None:
        """Takes note of a request that was answered."""
        kind, unit, used_s = work.kind, (work.kind, work.variant), work.used_s
        mean_s, least_s = self._requests.get(kind, used_s), self._least.get(kind, used_s)
        self._requests[kind] = mean_s + RECENT * (used_s - mean_s)
        self._least[kind] = min(used_s, RISING * least_s)
        if work.units:
            unit_s = self._units.get(unit, used_s / work.units)
            self._units[unit] = unit_s + RECENT * (used_s / work.units - unit_s)

    def doubt(self, work: Work) -> None:
        """Believes less in what a request was expected to cost."""
        unit = (work.kind, work.variant)
        if unit in self._units:
            self._units[unit] *= DOUBT
        if work.kind in self._least:
            self._least[work.kind] *= DOUBT
