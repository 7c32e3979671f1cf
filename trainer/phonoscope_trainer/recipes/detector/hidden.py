"""Music of which other music hides a part: what is left of a voice, in whatever music it is met, is a voice still.

Explanations are tried like this (`graphs.exchange`). A detector that never heard it goes by the impression of a whole
excerpt, and takes the outline of a region for singing: what is nobody's voice is hidden alike, so that outlines say
nothing. It is CutMix (Yun et al. 2019) with smooth regions, and with nobody singing in what hides the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.graphs.exchange import at_level_of, exchanged

COARSE_FRAMES, COARSE_BANDS = 24, 10  # from one drawn number to the next; between them regions are smooth


@dataclass(frozen=True, slots=True)
class HiddenOptions:
    """How often, and how much."""

    share: float = 0.3  # of the rows of a batch
    left: tuple[float, float] = (0.3, 0.9)  # of a row's bins, a uniform range

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise OptionsError(f"share must be between 0 and 1, got {self.share:g}")
        least, most = self.left
        if not 0 < least <= most <= 1:
            raise OptionsError(f"left must lie between 0 and 1, the least first, got {least:g} and {most:g}")


UNHIDDEN = HiddenOptions(share=0)


def hidden_in_part(log_mel: Tensor, labels: Tensor, options: HiddenOptions, rng: np.random.Generator) -> Tensor:
    """Log-mel `[B, T, M]` with a part of some rows exchanged for rows of the same batch in which nobody sings.

    Args:
        log_mel: `[B, T, M]`; stays as it is.
        labels: `[B, S]` between 0 and 1, of the rows, and still right for what comes back; NaN where nobody knows.
        options: how often, and how much.
        rng: what everything is drawn from.
    """
    chosen = np.flatnonzero(rng.random(len(log_mel)) < options.share)
    unsung = np.flatnonzero((labels == 0).all(dim=1).cpu().numpy())
    if not len(chosen) or not len(unsung):
        return log_mel
    host = log_mel[torch.from_numpy(rng.choice(unsung, len(chosen))).to(log_mel.device)]
    left = torch.from_numpy(rng.uniform(*options.left, len(chosen))).float()
    rows = torch.from_numpy(chosen).to(log_mel.device)
    region = smooth_regions(left, log_mel.shape[1], log_mel.shape[2], rng).to(log_mel.device)
    result = log_mel.clone()
    result[rows] = exchanged(log_mel[rows], region, at_level_of(log_mel[rows], host))
    return result


def smooth_regions(area: Tensor, frames: int, bands: int, rng: np.random.Generator) -> Tensor:
    """Random regions `[B, frames, bands]` of ones, each of its `area` `[B]`, with smooth outlines; zeros outside."""
    size = (len(area), 1, -(-frames // COARSE_FRAMES) + 1, -(-bands // COARSE_BANDS) + 1)
    coarse = torch.from_numpy(rng.standard_normal(size, dtype=np.float32))
    field = F.interpolate(coarse, (frames, bands), mode="bilinear", align_corners=True)[:, 0].flatten(1)
    last = ((1 - area) * (field.shape[1] - 1)).long()
    edge = field.sort(dim=1).values.gather(1, last[:, None])
    return (field >= edge).float().view(-1, frames, bands)
