"""How a network lies in memory."""

from __future__ import annotations

import torch
from torch import nn


def channels_last(network: nn.Module) -> None:
    """Lay the weights of convolutions out as they are multiplied fastest; what the network computes stays the same."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub omits this form
