"""What must not change an explanation: the same music a little louder or quieter, and a frame later.

The bounds are those that the masker is trained for: ±3 dB and one frame, a seventieth of a second.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from phonoscope_trainer.experiments.explanation.network import ExplainedNetwork
from phonoscope_trainer.experiments.trust.map_similarity import overlap, rank_correlation
from phonoscope_trainer.graphs.rules import ALPHAS
from phonoscope_trainer.recipes.augment import LN_PER_DECIBEL

LEVEL_DB = 3.0


def stability(explained: ExplainedNetwork, log_mel: Tensor) -> dict[str, dict[str, dict[str, NDArray[np.float64]]]]:
    """Rule → change → `rank_correlation`, `overlap` of the regions, `moved` and `label_kept`, `[B]` each.

    `moved` is the mean absolute difference of the relevance, which lies between 0 and 1.

    Args:
        explained: the detector and its rules.
        log_mel: raw excerpts with one frame more `[B, 116, 80]`.
    """
    now = log_mel[:, :-1]
    changed = {
        "louder": now + LEVEL_DB * LN_PER_DECIBEL,
        "quieter": now - LEVEL_DB * LN_PER_DECIBEL,
        "one_frame_later": log_mel[:, 1:],
    }
    before, is_vocal = explained.relevances(explained.standardise(now)), explained.is_vocal(now)
    found: dict[str, dict[str, dict[str, NDArray[np.float64]]]] = {rule: {} for rule in before}
    for change, other in changed.items():
        kept = (explained.is_vocal(other) == is_vocal).double().numpy()
        for rule, relevance in explained.relevances(explained.standardise(other)).items():
            one, two = before[rule].numpy(), relevance.numpy()
            if change == "one_frame_later":  # the same music lies one frame earlier in it
                one, two = one[:, 1:], two[:, :-1]
            found[rule][change] = {
                "rank_correlation": rank_correlation(one, two),
                "overlap": overlap(one >= ALPHAS[rule], two >= ALPHAS[rule]),
                "moved": np.abs(one - two).mean(axis=(1, 2)).astype(float),
                "label_kept": kept,
            }
    return found
