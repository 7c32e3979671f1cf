"""How explanations are scored: what the label's probability becomes with the region alone, and without it.

p, o and r are the probability of the label that the whole excerpt gets: of the whole, of the explanation alone, and of
what is left without it. They are given as log-odds, `[N]` float64, because p is often so close to 1 that 1 - p would
round to nothing. Every score is `[N]`, one an excerpt; what is reported is its mean.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit
from torch import Tensor

from phonoscope_trainer.experiments.explanation.controls import first_bins

Floats = NDArray[np.float64]
HIGHER_IS_BETTER = {
    "fidelity": True,
    "average_increase": True,
    "average_drop": False,
    "average_gain": True,
    "faithfulness": True,
    "log_odds_kept": True,
    "log_odds_removed": True,
}


def fidelity(kept: NDArray[np.bool_]) -> Floats:
    """Fid-In: whether the explanation alone keeps the label `[N]` (Paissan et al. 2024); 1 - explanation loss."""
    return np.asarray(kept, float)


def average_increase(p: Floats, o: Floats) -> Floats:
    """AI: [o > p] (Chattopadhay et al. 2018, section 4.1)."""
    return np.asarray(o > p, float)


def average_drop(p: Floats, o: Floats) -> Floats:
    """AD: max(0, p - o) / p (Chattopadhay et al. 2018, section 4.1)."""
    return np.asarray(np.maximum(0, expit(p) - expit(o)) / expit(p))


def average_gain(p: Floats, o: Floats) -> Floats:
    """AG: max(0, o - p) / (1 - p) (Zhang, Gao & Bao 2024, Eq. 10)."""
    return np.asarray(np.maximum(0, expit(-p) - expit(-o)) / expit(-p))


def faithfulness(p: Floats, r: Floats) -> Floats:
    """FF: p - r (Parekh et al. 2022, section 4.2)."""
    return np.asarray(expit(p) - expit(r))


def log_odds_change(before: Floats, after: Floats) -> Floats:
    """Log-odds of the label afterwards minus before, in nats (Shrikumar et al. 2017, section 4.1)."""
    return np.asarray(after - before)


def scores(p: Floats, o: Floats, r: Floats, kept: NDArray[np.bool_]) -> dict[str, Floats]:
    """Every score of the same excerpts, by the names of `HIGHER_IS_BETTER`.

    Args:
        p: `[N]` log-odds of the label, whole excerpt.
        o: `[N]` the same of the explanation alone.
        r: `[N]` the same of what is left without it.
        kept: `[N]` whether the explanation alone gets the label; not simply o > 0, because a threshold need not be ½.
    """
    return {
        "fidelity": fidelity(kept),
        "average_increase": average_increase(p, o),
        "average_drop": average_drop(p, o),
        "average_gain": average_gain(p, o),
        "faithfulness": faithfulness(p, r),
        "log_odds_kept": log_odds_change(p, o),
        "log_odds_removed": log_odds_change(r, p),
    }


def deletion_insertion(
    standardised: Tensor, ranked: Tensor, probability: Callable[[Tensor], Tensor], steps: int
) -> tuple[Tensor, Tensor]:
    """Areas under the deletion and the insertion curve (Petsiuk, Das & Saenko 2018, algorithm 1), `[B]` each.

    A small area under deletion and a large one under insertion say that the first bins matter most.

    Args:
        standardised: excerpts `[B, T, M]`; a bin that is deleted, or not inserted yet, gets its band's mean, 0.
        ranked: `[B, T, M]` the order in which bins are deleted or inserted, from 0.
        probability: probability of each excerpt's label, `[B]`, of excerpts `[B, T, M]`.
        steps: parts of equal size in which an excerpt's bins go or come.
    """
    bins = standardised[0].numel()
    deletion, insertion = [], []
    for step in range(steps + 1):
        region = first_bins(ranked, torch.full((len(ranked),), round(step / steps * bins)))
        deletion.append(probability(standardised * ~region))
        insertion.append(probability(standardised * region))
    return area_under(torch.stack(deletion)), area_under(torch.stack(insertion))


def area_under(curve: Tensor) -> Tensor:
    """`[B]` areas under curves `[steps + 1, B]` over 0 to 1, by the trapezoidal rule."""
    return torch.trapezoid(curve, dim=0) / (len(curve) - 1)
