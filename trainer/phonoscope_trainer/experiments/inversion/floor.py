"""What the paper's form of inverter cannot show, however well it is trained."""

from __future__ import annotations

import torch
from torch import Tensor

from phonoscope_trainer.networks.svdnet import LAYERS

LOWEST = -1.0  # of an ELU
PADDING = {"conv1": 1, "conv2": 2}  # bins of zeros on every side


def best_of_paper_form(excerpts: Tensor) -> dict[str, Tensor]:
    """Layer → `[N, T, M]`: the closest to `excerpts` `[N, T, M]` that an inverter of the paper's form can give."""
    clipped = torch.clamp(excerpts, min=LOWEST)
    found = dict.fromkeys(LAYERS, clipped)
    for layer, bins in PADDING.items():
        found[layer] = torch.nn.functional.pad(clipped[:, bins:-bins, bins:-bins], (bins,) * 4)
    return found
