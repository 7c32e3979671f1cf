"""Trying again: what may be asked twice, for how long, and how many second attempts there may be in all."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass

from phonoscope_client.errors import BusyError, PhonoscopeError, UnavailableError

# Seconds to minutes of computing, which a second attempt would cost again: once begun, they are asked no second time.
COSTLY = frozenset({"Auralise", "Maximise", "ExplainTrack"})


@dataclass(frozen=True)
class RetryOptions:
    """How calls are tried again."""

    patience_s: float = 10.0  # with a service that is away: as long as one takes to be started again
    busy: bool = True  # whether one that is busy is asked again when it says so
    first_wait_s: float = 0.1  # doubled for every further attempt
    longest_wait_s: float = 2.0
    spread: float = 0.25  # of a wait, at most, is added by chance, so that callers do not all come back at once
    reserve: float = 10.0  # what the budget holds at first, and at most
    share: float = 0.2  # what every call adds to it; an attempt takes 1
    hinted_cost: float = 0.2  # an attempt at a time that the service named: refusing it would cost next to nothing


class RetryBudget:
    """The second attempts that all calls of one client share: a few at once, in the long run a share of the calls.

    Args:
        options: how large it is.
    """

    def __init__(self, options: RetryOptions) -> None:
        self._options, self._held = options, options.reserve
        self._lock = threading.Lock()

    def earn(self) -> None:
        """What a new call adds."""
        with self._lock:
            self._held = min(self._options.reserve, self._held + self._options.share)

    def spend(self, cost: float) -> bool:
        """Takes the cost of one more attempt; whether there was as much."""
        with self._lock:
            if self._held < cost:
                return False
            self._held -= cost
            return True


class Patience:
    """One call's: how long it may still take, and when to try again.

    Args:
        method: name of the RPC.
        timeout_s: seconds until its caller gives up.
        options: how it is tried again.
    """

    def __init__(self, method: str, timeout_s: float, options: RetryOptions) -> None:
        self._options, self._costly = options, method in COSTLY
        self._ends_s = time.monotonic() + timeout_s
        self._away_until_s = float("inf")  # set once the service is away
        self._wait_s = options.first_wait_s

    @property
    def costly(self) -> bool:
        """Whether it is asked only once there is somebody to answer it."""
        return self._costly

    @property
    def left_s(self) -> float:
        """Seconds until its caller gives up."""
        return max(0.0, self._ends_s - time.monotonic())

    def away_s(self) -> float:
        """Seconds for which to wait for a service that is away, from the first time on that this is asked."""
        if self._away_until_s == float("inf"):
            self._away_until_s = time.monotonic() + self._options.patience_s
        return max(0.0, min(self._away_until_s, self._ends_s) - time.monotonic())

    def wait_s(self, failure: PhonoscopeError, *, begun: bool = False) -> float | None:
        """Seconds to wait before the next attempt; None where there is to be none.

        Args:
            failure: how the last attempt ended.
            begun: a part of the answer has arrived.
        """
        if begun:
            return None
        if isinstance(failure, BusyError):  # it says so before it begins anything
            if not self._options.busy:
                return None
            wait_s = self._spread(max(failure.retry_after_s, self._options.first_wait_s))
            return wait_s if wait_s < self.left_s else None
        if not isinstance(failure, UnavailableError) or self._costly:
            return None
        wait_s, self._wait_s = self._wait_s, min(2 * self._wait_s, self._options.longest_wait_s)
        wait_s = self._spread(wait_s)
        return wait_s if wait_s < self.away_s() else None

    def cost(self, failure: PhonoscopeError) -> float:
        """What the next attempt takes from the budget."""
        return self._options.hinted_cost if isinstance(failure, BusyError) else 1.0

    def _spread(self, wait_s: float) -> float:
        return wait_s * (1 + self._options.spread * random.random())  # noqa: S311 - no secret
