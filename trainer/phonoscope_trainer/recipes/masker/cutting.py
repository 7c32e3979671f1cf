"""Where a mask is cut, so that bins are in a region or out, and how a masker learns from such a region."""

from __future__ import annotations

import torch
from torch import Tensor

SHARPNESS = 4.0  # of the slope between out and in


def cut(logits: Tensor) -> Tensor:
    """1 where a bin is in the region and 0 where not, with the gradient of a steep slope (straight through)."""
    slope = torch.sigmoid(SHARPNESS * logits)
    return (logits >= 0).to(slope.dtype) + slope - slope.detach()


def least_inside(logits: Tensor, area: Tensor) -> Tensor:
    """`[B]` the least logit inside a region that is `area` `[B]` of an excerpt; logits `[B, T, M]`.

    It rises with the logits near it, as it must for the area to stay what it is. Otherwise every bin near the edge
    would be drawn in, since more of an excerpt always says more, and nothing would tell one from another.
    """
    rows = logits.detach().flatten(1)
    last = (area * rows.shape[1]).long().clamp(0, rows.shape[1] - 1)
    least = rows.sort(dim=1, descending=True).values.gather(1, last[:, None])
    slope = torch.sigmoid(SHARPNESS * (rows - least))
    near = slope * (1 - slope)
    rises = ((logits.flatten(1) - rows) * near).sum(dim=1) / near.sum(dim=1)  # 0, with a gradient
    return least[:, 0] + rises
