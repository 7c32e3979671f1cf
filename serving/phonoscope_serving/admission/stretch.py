"""How much longer answers take than the engine is busy with them: they are also received, decoded, packed and sent.

How much that is hangs on the machine and on what else it does, so it is learnt. A promise that is broken costs more
than one that is kept with time to spare: so what was slower than expected teaches more than what was faster.
"""

from __future__ import annotations

FIRST = 1.25  # before anything was learnt
LEAST, MOST = 1.0, 4.0
SLOWER, FASTER = 0.1, 0.01  # how much one answer counts: most are then within what is expected
SHORTEST_S = 0.01  # what was expected to take less tells of nothing but the clock


class Stretch:
    """Time that passes for a second of the engine's."""

    def __init__(self) -> None:
        self.factor = FIRST

    def learn(self, expected_s: float, passed_s: float) -> None:
        """Takes note of a request that was answered.

        Args:
            expected_s: of the engine, with all that was before it in line.
            passed_s: from then on.
        """
        if expected_s < SHORTEST_S:
            return
        seen = min(max(passed_s / expected_s, LEAST), MOST)
        self.factor += (SLOWER if seen > self.factor else FASTER) * (seen - self.factor)

    def learn_at_least(self, expected_s: float, passed_s: float) -> None:
        """Takes note of a request that was given up, and would have taken longer; arguments as for `learn`."""
        if passed_s > self.factor * expected_s:
            self.learn(expected_s, passed_s)
