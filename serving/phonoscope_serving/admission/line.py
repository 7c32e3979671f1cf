"""The work of one kind that has been taken on, and how much of it is left: looked at by every call, so kept as sums."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from phonoscope_serving.admission.work import Work


@dataclass(eq=False)
class Line:
    """Work that is there; whoever changes what is left of it tells it here."""

    _calls: Counter[str] = field(default_factory=Counter)  # caller → how many requests
    _left_s: dict[Work, float] = field(default_factory=dict)
    _callers_s: dict[str, float] = field(default_factory=dict)

    def join(self, work: Work) -> None:
        """Takes note of a request, and from now on of what is done of it."""
        self._calls[work.caller] += 1
        self._left_s[work] = 0.0
        work.changed = self._note
        self._note(work)

    def leave(self, work: Work) -> None:
        """Forgets one."""
        self._add(work.caller, -self._left_s.pop(work))
        self._calls[work.caller] -= 1
        if not self._calls[work.caller]:  # and with the caller what sums of fractions leave behind
            del self._calls[work.caller], self._callers_s[work.caller]

    def left_s(self, without: Work) -> dict[str, float]:
        """Caller → engine seconds of all but one request."""
        callers = dict(self._callers_s)
        if without in self._left_s:
            left_s = callers.pop(without.caller) - self._left_s[without]
            if self._calls[without.caller] > 1:
                callers[without.caller] = max(0.0, left_s)
        return callers

    def calls(self, without: Work) -> tuple[int, int]:
        """How many requests there are but one, and how many of them are its caller's."""
        counted = int(without in self._left_s)
        return len(self._left_s) - counted, self._calls[without.caller] - counted

    @property
    def all_s(self) -> float:
        """Engine seconds of all."""
        return sum(self._callers_s.values())

    def waiting(self) -> int:
        """Requests of which nothing was done yet; may be asked from another thread."""
        return sum(not work.used_s for work in list(self._left_s))

    def __len__(self) -> int:
        return len(self._left_s)

    def _note(self, work: Work) -> None:
        if work in self._left_s:
            left_s = work.left_s
            self._add(work.caller, left_s - self._left_s[work])
            self._left_s[work] = left_s

    def _add(self, caller: str, seconds: float) -> None:
        self._callers_s[caller] = max(0.0, self._callers_s.get(caller, 0.0) + seconds)
