"""What might tell how far an answer is to be doubted: one number an excerpt each, the larger the more doubt.

    confidence        how near the logit is to the threshold
    energy            minus the logarithm of 1 + e^logit (Liu et al. 2020, of two logits of which one is 0)
    spread            standard deviation of the logit and those of the excerpts nine frames before and after
    misfit            root-mean-square error of the explanation inverter: what was served before
    mahalanobis_X     mean square distance along the main axes of the features X of music (Lee et al. 2018)
    residual_X        the same off those axes
    neighbours_fc7    mean distance to the five nearest of 512 excerpts of music (Sun et al. 2022)

X: `bands`, `maps` (`networks.doubt`), `fc7` and `fc8`. Served: `doubt`, made of `wrong` and `foreign`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phonoscope_trainer.networks.density import Density
from phonoscope_trainer.networks.doubt import AXES, Doubt
from phonoscope_trainer.recipes.doubt.excerpts import EXCERPTS_OF_A_PIECE, Seen
from phonoscope_trainer.recipes.doubt.fit import chances

Floats = NDArray[np.float64]
BANK, NEAREST = 512, 5
DENSITIES: Mapping[str, int] = {**AXES, "fc8": 16}  # features → axes


@dataclass(frozen=True, slots=True)
class Candidates:
    """All of them, fitted to training music."""

    doubt: Doubt
    threshold_logit: float
    densities: Mapping[str, Density]
    bank: Tensor  # `[512, 256]` FC7 of music

    @classmethod
    def fitted(cls, train: Sequence[Seen], doubt: Doubt, threshold_logit: float) -> Candidates:
        """Those that need music to be compared with, beside what is served."""
        known = {name: torch.cat([each.layers[name] for each in train]) for name in DENSITIES}
        rows = torch.linspace(0, len(known["fc7"]) - 1, BANK).long()
        densities = {name: Density.fitted(each, DENSITIES[name]) for name, each in known.items()}
        return cls(doubt, threshold_logit, densities, known["fc7"][rows])

    @torch.inference_mode()
    def of(self, seen: Seen) -> dict[str, Floats]:
        """Candidate → `[N]`, of excerpts in pieces of 16."""
        logit = seen.layers["logit"][:, 0]
        found = dict(chances(self.doubt, seen))
        found["confidence"] = -(logit - self.threshold_logit).abs()
        found["energy"] = -torch.nn.functional.softplus(logit)
        found["spread"] = spread(logit)
        if "misfit" in seen.layers:
            found["misfit"] = seen.layers["misfit"][:, 0]
        for name, density in self.densities.items():
            found[f"mahalanobis_{name}"], found[f"residual_{name}"] = density(seen.layers[name]).unbind(dim=1)
        scale = self.densities["fc7"].scale
        distances = torch.cdist(seen.layers["fc7"] / scale, self.bank / scale)
        found["neighbours_fc7"] = distances.topk(NEAREST, largest=False).values.mean(dim=1)
        return {name: each.double().numpy() for name, each in found.items()}


def spread(logit: Tensor) -> Tensor:
    """`[N]` standard deviation of each of the logits `[N]` and of its neighbours in its piece of 16."""
    pieces = logit.view(-1, EXCERPTS_OF_A_PIECE)
    padded = torch.cat([pieces[:, :1], pieces, pieces[:, -1:]], dim=1)
    return padded.unfold(1, 3, 1).std(dim=2, correction=0).flatten()
