"""Whether a request is taken on: by what requests like it have cost, and what is there already.

The engine gives kinds of work fair turns, and callers within a kind. So of what is there, a request waits for no more
than its own amount from every other kind and every other caller, and for all that its own caller has asked before.
"""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from phonoscope_serving.admission.costs import Costs
from phonoscope_serving.admission.line import Line
from phonoscope_serving.admission.stretch import Stretch
from phonoscope_serving.admission.work import Kind, Work
from phonoscope_serving.errors import DeadlinePassed, QueueFull
from phonoscope_serving.metrics import Metrics

ALWAYS_TAKEN = 64  # requests of a kind, however much they are; a caller may take as many as are left of these, too
ALWAYS_TAKEN_BACKGROUND = 16
# Who would be done just in time is late when anything is slower than expected, and so is everybody in line behind: of
# their time so much may be gone.
EDGE = 0.75
LEAST_RETRY_S, MOST_RETRY_S = 0.05, 30.0


class Admission:
    """The work of one engine that has been taken on, and the budgets that bound it."""

    def __init__(self, budget_s: float, metrics: Metrics) -> None:
        """Nothing is there yet.

        Args:
            budget_s: engine seconds of each kind of work that may be there; a caller may take as many as are left.
            metrics: where work and refusals are counted.
        """
        self._budget_s, self._metrics, self._costs, self._stretch = budget_s, metrics, Costs(), Stretch()
        self._lines = {kind: Line() for kind in Kind}
        for kind, line in self._lines.items():
            metrics.work_waiting.labels(kind.value).set_function(line.waiting)
        self._told_s: defaultdict[Kind, float] = defaultdict(float)  # when the last who was refused is to come back

    @contextmanager
    def admitted(self, kind: Kind, caller: str, deadline: float | None) -> Iterator[Work]:
        """Takes on a request of which nothing but the kind is known, for the block.

        Args:
            kind: what it asks for.
            caller: who asks.
            deadline: until when, on the event loop's clock, in seconds; None waits for ever.

        Raises:
            QueueFull: there is too much of its kind, or of its caller's, or it would be done too late.
            DeadlinePassed: it would take longer than its deadline if it were alone.
        """
        work = Work(kind, caller, units=0, expected_s=self._costs.request_s(kind))
        with self._counted(kind):
            self._require_room(work, self._costs.least_s(kind), deadline)
            with self._in_line(work):
                yield work

    @contextmanager
    def _counted(self, kind: Kind) -> Iterator[None]:
        """Counts it where there is no room, for the request as a whole or for something on its way."""
        try:
            yield
        except QueueFull as full:
            self._metrics.refusals.labels(kind.value, full.reason).inc()
            raise
        except MemoryError:
            self._metrics.refusals.labels(kind.value, "memory").inc()
            raise

    @contextmanager
    def _in_line(self, work: Work) -> Iterator[None]:
        """Has it be there for the block, and learns from how that ends."""
        kind = work.kind
        self._lines[kind].join(work)
        self._count(kind)
        try:
            yield
            self._metrics.cost_seconds.labels(kind.value).observe(work.used_s)
            if not work.is_shared:
                self._costs.learn(work)
            if not kind.is_partial and not work.is_shared:
                self._stretch.learn(work.promised_s, self._now_s() - work.since_s)
        except (DeadlinePassed, asyncio.CancelledError):  # it takes at least as long as it was waited for
            if not kind.is_partial:
                self._stretch.learn_at_least(work.promised_s, self._now_s() - work.since_s)
            raise
        finally:
            self._lines[kind].leave(work)
            self._count(kind)

    def weigh(self, work: Work, variant: str, units: float, deadline: float | None) -> None:
        """Looks at a request again, now that it is known.

        Args:
            work: what `admitted` gave.
            variant: see `Work.variant`.
            units: see `Work.units`.
            deadline: as before.

        Raises:
            RequestError: see `admitted`.
        """
        work.variant, work.unit_s = variant, self._costs.unit_s(work.kind, variant)
        if units:
            work.measure(units)
            self._require_room(work, work.expected_s, deadline)

    def _require_room(self, work: Work, cost_s: float, deadline: float | None) -> None:
        now_s, stretch = self._now_s(), self._stretch.factor
        left_s = math.inf if deadline is None else deadline - now_s
        kind, line = work.kind.value, self._lines[work.kind]
        calls, own_calls = line.calls(without=work)
        if left_s <= stretch * cost_s:
            if not calls:  # nobody is there to prove it wrong, and one slow run would shut the door for ever
                self._costs.doubt(work)
            self._metrics.refusals.labels(kind, "deadline").inc()
            raise DeadlinePassed(f"{max(0.0, left_s):.3f} s are left, and to {kind} this takes {cost_s:.3f} s")
        callers_s = line.left_s(without=work)
        there_s, own_s = sum(callers_s.values()), callers_s.get(work.caller, 0.0)
        always = ALWAYS_TAKEN_BACKGROUND if work.kind.is_background else ALWAYS_TAKEN
        surplus_s = there_s + own_s + cost_s - self._budget_s
        if surplus_s > 0 and calls + own_calls >= always:
            message = f"{there_s:.1f} s of work to {kind} are there, of which {own_s:.1f} s are yours"
            message += f"; at most {self._budget_s:g} s are taken on"
            raise QueueFull(message, self._retry_s(work, surplus_s, now_s), "budget")
        work.promised_s, work.since_s = self._done_s(work, cost_s, callers_s), now_s
        late_s = stretch * work.promised_s - EDGE * left_s
        if work.promised_s > cost_s and late_s > 0:
            message = f"there is so much to {kind} that this would be done {late_s:.2f} s too late"
            raise QueueFull(message, self._retry_s(work, late_s, now_s), "late")

    def _done_s(self, work: Work, cost_s: float, callers_s: Mapping[str, float]) -> float:
        """In how many seconds it would be done, if everybody has fair turns."""
        own_s = callers_s.get(work.caller, 0.0) + cost_s
        kind_s = own_s + sum(min(own_s, each_s) for caller, each_s in callers_s.items() if caller != work.caller)
        return kind_s + sum(min(kind_s, line.all_s) for kind, line in self._lines.items() if kind != work.kind)

    def _retry_s(self, work: Work, surplus_s: float, now_s: float) -> float:
        """When there should be room: a time for each who is refused, so that they do not all come back together."""
        active = sum(1 for line in self._lines.values() if len(line))
        soonest_s = now_s + max(LEAST_RETRY_S, surplus_s * max(1, active))
        at_s = max(soonest_s, self._told_s[work.kind] + work.expected_s)
        if at_s > now_s + MOST_RETRY_S:
            at_s = min(soonest_s, now_s + MOST_RETRY_S)
        self._told_s[work.kind] = at_s
        return at_s - now_s

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()

    def _count(self, kind: Kind) -> None:
        self._metrics.work_calls.labels(kind.value).set(len(self._lines[kind]))
        self._metrics.work_seconds.labels(kind.value).set(self._lines[kind].all_s)
