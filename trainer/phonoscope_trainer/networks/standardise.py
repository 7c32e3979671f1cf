"""The detector's first layer: each band brought to zero mean and unit variance (Schlüter & Grill 2015, section 3.1)."""

from __future__ import annotations

from torch import Tensor, nn


class Standardise(nn.Module):
    """(log-mel − mean) / standard deviation, per band."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)

    def forward(self, log_mel: Tensor) -> Tensor:
        """Standardised `[B, T, M]` of `log_mel` `[B, T, M]`."""
        return (log_mel - self.mean) / self.std
