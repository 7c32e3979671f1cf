"""Inputs for the models that exchange a region with other music: another trial in every row."""

from __future__ import annotations

import numpy as np

from support.bundles.repository import REPOSITORY

# A bundle may have no other music.
EXCHANGE = ("exchange", "exchange_sound", "exchanged", "exchange_heard") if (REPOSITORY / "exchange").is_dir() else ()


def exchange_inputs(model, samples, answer):
    """Inputs of one model, of excerpts `samples` and what an explanation says of them."""
    row = np.arange(len(samples), dtype=np.int32)[:, None]
    choice = {"vocal": row % 2, "trial": row % 5, "draw": row, "control_seed": 7 * row}
    maps = {"log_mel": answer["log_mel"], "region": answer["mask"]}
    return maps | choice | ({"samples": samples} if model in ("exchange_sound", "exchange_heard") else {})
