"""Trust that made-up numbers deserve."""

from __future__ import annotations

import numpy as np
from phonoscope_serving.rpcs.explain.trust import weigh


def judged(measured, listener, control_seed, heard=None):
    """What a listener's first rule is worth that measured these numbers, of which each is of one row and column."""
    columns = {name: np.array([number], np.float64) for name, number in measured.items()}
    played = None if heard is None else np.array(heard, np.float64)[:, None]
    claim = listener.decision.claim("", "", columns["probability"])
    return weigh(columns, listener, claim, listener.rules[0], control_seed, played)
