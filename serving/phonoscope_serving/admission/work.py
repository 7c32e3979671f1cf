"""One request's work: of what kind it is, whose it is, and how much of it is done."""

from __future__ import annotations

import enum
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass


class Kind(enum.Enum):
    """Kinds of work; each has a budget, and its turn."""

    PREDICT = "predict"
    EXPLAIN = "explain"
    TRACK = "track"
    INVERT = "invert"
    AURALISE = "auralise"
    MAXIMISE = "maximise"
    OTHER = "other"  # nobody's: proofs, and calls from within

    @property
    def is_background(self) -> bool:
        """Whether a single turn of it may last longer than somebody who waits for an answer likes to."""
        return self in (Kind.TRACK, Kind.AURALISE, Kind.MAXIMISE)

    @property
    def is_partial(self) -> bool:
        """Whether it is answered as far as its time goes, and may wait for its caller in between."""
        return self is Kind.TRACK


def _untold(work: Work) -> None:
    """Work that is in no line."""


@dataclass(eq=False)
class Work:
    """What one request asks of the engine; seconds are the engine's, when it does nothing else."""

    kind: Kind = Kind.OTHER
    caller: str = ""
    variant: str = ""  # of the kind: what makes a unit cost another amount
    units: float = 1.0  # seconds of sound, steps, …; 0 where it is not known yet
    unit_s: float = 0.0  # what a unit is expected to cost; 0 where nothing is known
    expected_s: float = 0.0
    used_s: float = 0.0
    promised_s: float = 0.0  # when it was looked at last: until it is done, with all that was before it in line
    since_s: float = 0.0  # when that was, on the event loop's clock
    is_shared: bool = False  # some of it had been done for another request: what it used says little of its like
    changed: Callable[[Work], None] = _untold  # told whenever `left_s` is another

    @property
    def left_s(self) -> float:
        """What is still to be done; never nothing, until it is all done."""
        return max(self.expected_s - self.used_s, 0.1 * self.expected_s)

    def measure(self, units: float) -> None:
        """Takes note of how much it is, once that is known."""
        self.units = units
        if self.unit_s:
            self.expected_s = units * self.unit_s
        self.changed(self)

    def charge(self, used_s: float) -> None:
        """Takes note of what was done of it."""
        self.used_s += used_s
        self.changed(self)


NOBODYS = Work()
WORK: ContextVar[Work] = ContextVar("phonoscope_work", default=NOBODYS)  # of the call that is being answered
