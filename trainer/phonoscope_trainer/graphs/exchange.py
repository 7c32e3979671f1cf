"""Exchange: what a region holds is carried into other music, or gives way to other music, at the excerpt's own level.

Filling what is outside a region with a constant draws the region's outline, and an outline can sing. Other music, the
*host*, has no such edge: what decides is what the region holds. A host is brought to the level of the excerpt it takes
part in, so that no answer depends on how loud a recording is.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from phonoscope_trainer.frontends.mel import FRONTEND

LN_FLOOR = math.log(FRONTEND.floor)


def level(log_mel: Tensor) -> Tensor:
    """Natural logarithm of the root mean square of the mel magnitudes of log-mel `[..., T, M]`, `[..., 1, 1]`."""
    mean_square: Tensor = torch.exp(2 * log_mel).mean(dim=(-2, -1), keepdim=True)
    return torch.log(mean_square) / 2


def at_level_of(log_mel: Tensor, other: Tensor) -> Tensor:
    """Music `other` `[..., T, M]` as loud as `log_mel` `[..., T, M]`; both log-mel, nothing below the floor."""
    return torch.clamp(other + level(log_mel) - level(other), min=LN_FLOOR)


def exchanged(content: Tensor, region: Tensor, host: Tensor) -> Tensor:
    """`content` inside `region`, `host` outside, all `[..., T, M]`: log-mel, and 1 inside or 0 outside.

    A region between 0 and 1, as a masker learns with, mixes the two in the logarithm.
    """
    return host + region * (content - host)
