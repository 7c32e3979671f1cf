"""Which excerpt stands beside which: hosts, thirds and others come from other recordings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phonoscope_trainer.errors import CorpusError


def partners(
    answer: NDArray[np.bool_],
    track: NDArray[np.int64],
    can_be: NDArray[np.bool_],
    rng: np.random.Generator,
    *,
    same_answer: bool,
) -> NDArray[np.int64]:
    """`[N]` for each excerpt another one, of another track, drawn from those that `can_be` one.

    Args:
        answer: `[N]`.
        track: `[N]` of which recording each excerpt is.
        can_be: `[N]` whether an excerpt can be a partner.
        rng: draws them.
        same_answer: whether a partner has the excerpt's own answer, or the other.

    Raises:
        CorpusError: an excerpt has none.
    """
    found = np.zeros(len(answer), np.int64)
    for value in np.unique(answer):
        for own in np.unique(track[answer == value]):
            rows = np.flatnonzero((answer == value) & (track == own))
            pool = np.flatnonzero(can_be & ((answer == value) == same_answer) & (track != own))
            if not len(pool):
                kind = "a vocal" if value == same_answer else "an instrumental"
                raise CorpusError(
                    f"{kind} answer is needed in another recording than excerpts of one, and there is none"
                )
            found[rows] = rng.choice(pool, len(rows))
    return found
