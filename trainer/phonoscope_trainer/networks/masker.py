"""The masker: from what the detector made of an excerpt to the region its label rests on, in one forward pass.

A decoder from the detector's own layers to a mask, as in L-MAC (Paissan, Ravanelli & Subakan 2024), learned offline,
like the masking model of Dabkowski & Gal (2017). It sees the deepest maps, Conv5, which know where, and the
FC8 features, which know what.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phonoscope_trainer.networks.svdnet import CONVOLUTIONS, POOL

MAPS = CONVOLUTIONS["conv5"][1]
FEATURES = 64  # of FC8
WIDTH = 48  # maps at Conv5's resolution
FINE_WIDTH = 8  # maps at the excerpt's
# Position i of Conv5, once two convolutions have added two positions on either side, lies over frames 3i + 2 to 3i + 4
# of the excerpt and likewise over bands; what is missing at the edges repeats what is next to it.
EDGES = (2, 3, 2, 2)  # bands below and above, frames before and after
INITIAL_MASK = 0.3  # value of an untrained masker: neither everything nor nothing


class Masker(nn.Module):
    """Conv5 maps `[B, 64, 33, 21]` and FC8 features `[B, 64]` to a mask `[B, 115, 80]` between 0 and 1."""

    def __init__(self) -> None:
        super().__init__()
        self.where = nn.Conv2d(MAPS, WIDTH, 3, padding=2)
        self.what = nn.Linear(FEATURES, WIDTH)
        self.spread = nn.Conv2d(WIDTH, FINE_WIDTH * POOL * POOL, 3, padding=2)
        self.refine = nn.Conv2d(FINE_WIDTH, FINE_WIDTH, 3, padding=1)
        self.decide = nn.Conv2d(FINE_WIDTH, 1, 3, padding=1)
        for layer in (self.where, self.spread, self.refine):
            nn.init.kaiming_normal_(layer.weight)
        with torch.no_grad():  # the nine bins that one position turns into begin alike: no checkerboard to unlearn
            first = self.spread.weight[:: POOL * POOL]
            self.spread.weight.copy_(first.repeat_interleave(POOL * POOL, dim=0))
            nn.init.zeros_(_bias(self.spread))
        nn.init.normal_(self.decide.weight, std=0.05)
        nn.init.constant_(_bias(self.decide), float(torch.logit(torch.tensor(INITIAL_MASK))))

    def logits(self, conv5: Tensor, fc8: Tensor) -> Tensor:
        """The mask before its sigmoid, `[B, 115, 80]`."""
        coarse = F.elu(self.where(conv5) + self.what(fc8)[:, :, None, None])
        fine = F.elu(F.pixel_shuffle(self.spread(coarse), POOL))
        whole = F.pad(fine, EDGES, mode="replicate")
        logits: Tensor = self.decide(F.elu(self.refine(whole)))[:, 0]
        return logits

    def forward(self, conv5: Tensor, fc8: Tensor) -> Tensor:
        """The mask: how sure the masker is that a bin belongs to the region."""
        return torch.sigmoid(self.logits(conv5, fc8))


def _bias(convolution: nn.Conv2d) -> Tensor:
    assert convolution.bias is not None
    return convolution.bias
