"""The masker: from what the detector made of an excerpt to the region its label rests on, in one forward pass.

A decoder from the detector's own layers to a mask, as in L-MAC (Paissan, Ravanelli & Subakan 2024), learned offline,
like the masking model of Dabkowski & Gal (2017). It sees the FC8 features, which know what, the deepest maps, Conv5,
which know where, and the Conv2 maps, the last that know it to the bin.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phonoscope_trainer.networks.svdnet import CONVOLUTIONS, POOL

FEATURES = 64  # of FC8
WIDTH = 48  # maps at Conv5's resolution
FINE_WIDTH = 8  # maps at the excerpt's
# Position i of Conv5, once two convolutions have added two positions on either side, lies over frames 3i + 2 to 3i + 4
# of the excerpt and likewise over bands; what is missing at the edges repeats what is next to it.
EDGES = (2, 3, 2, 2)  # bands below and above, frames before and after
FINE_EDGES = (2, 2, 2, 2)  # of Conv2, whose position i lies over frame i + 2
INITIAL_MASK = 0.45  # value of an untrained masker: neither everything nor nothing


class Masker(nn.Module):
    """Conv2 and Conv5 maps `[B, 32, 111, 76]`, `[B, 64, 33, 21]` and FC8 features `[B, 64]` to a mask `[B, 115, 80]`.

    Values lie between 0 and 1. What is known of Conv5's positions is spread over the bins between them linearly: a
    bin's place within a position must not show in the mask.
    """

    def __init__(self) -> None:
        super().__init__()
        self.where = nn.Conv2d(CONVOLUTIONS["conv5"][1], WIDTH, 3, padding=2)
        self.what = nn.Linear(FEATURES, WIDTH)
        self.spread = nn.Conv2d(WIDTH, FINE_WIDTH, 3, padding=2)
        self.detail = nn.Conv2d(CONVOLUTIONS["conv2"][1], FINE_WIDTH, 1)
        self.refine = nn.Conv2d(FINE_WIDTH, FINE_WIDTH, 3, padding=1)
        self.decide = nn.Conv2d(FINE_WIDTH, 1, 3, padding=1)
        for layer in (self.where, self.spread, self.refine):
            nn.init.kaiming_normal_(layer.weight)
        nn.init.zeros_(self.detail.weight)  # Conv2 counts as soon as it helps; of an unknown scale, it could be all
        nn.init.zeros_(_bias(self.detail))
        nn.init.normal_(self.decide.weight, std=0.05)
        nn.init.constant_(_bias(self.decide), float(torch.logit(torch.tensor(INITIAL_MASK))))

    def logits(self, conv2: Tensor, conv5: Tensor, fc8: Tensor) -> Tensor:
        """The mask before its bounds, `[B, 115, 80]`."""
        return self.decided(self.detail(conv2), conv5, fc8)

    def decided(self, detail: Tensor, conv5: Tensor, fc8: Tensor) -> Tensor:
        """The same of what `detail` makes of Conv2, `[B, 8, 111, 76]`, wherever in a track an excerpt begins."""
        coarse = self.spread(F.elu(self.where(conv5) + self.what(fc8)[:, :, None, None]))
        smooth = F.interpolate(coarse, scale_factor=POOL, mode="bilinear", align_corners=False)
        whole = F.pad(smooth, EDGES, mode="replicate")
        fine = F.elu(whole + F.pad(detail, FINE_EDGES, mode="replicate"))
        logits: Tensor = self.decide(F.elu(self.refine(fine)))[:, 0]
        return logits

    def forward(self, conv2: Tensor, conv5: Tensor, fc8: Tensor) -> Tensor:
        """The mask: how sure the masker is that a bin belongs to the region, one half where it cannot say."""
        return self.bounded(self.logits(conv2, conv5, fc8))

    @staticmethod
    def bounded(logits: Tensor) -> Tensor:
        """Logits between 0 and 1.

        They are large, for regions are learnt with bins that are in or out. A sigmoid would round most of them to 0
        or 1, and no order would be left to ask for larger or smaller regions by; so the approach to both is slow.
        """
        return (1 + logits / (1 + logits.abs())) / 2


def _bias(convolution: nn.Conv2d) -> Tensor:
    assert convolution.bias is not None
    return convolution.bias


def transposed(weight: Tensor) -> Tensor:
    """The kernel `[C, C', 3, 3]` of the transposed convolution that is the convolution by `[C', C, 3, 3]`, and back."""
    return weight.transpose(0, 1).flip(2, 3)
