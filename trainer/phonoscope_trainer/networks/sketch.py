"""The straight part of an inverter of features: one linear map to a blurred excerpt.

A leaky rectifier hides nothing, it only makes what lies below zero a hundred times smaller; a linear map sees little of
that. So it is undone first. The picture is the sum of the slowest cosines over time and the broadest over bands: what a
layer without positions holds of finer ones is next to nothing, and the map stays small.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phonoscope_trainer.networks.svdnet import LEAKY_SLOPE

COSINES = (24, 40)  # over time and over bands; of time up to 7 Hz


def unrectified(activation: Tensor) -> Tensor:
    """What a leaky rectifier of the detector was given, any shape: the inverse of it."""
    return F.leaky_relu(activation, 1 / LEAKY_SLOPE)


def cosines(count: int, size: int) -> Tensor:
    """`[count, size]` the first rows of the orthonormal cosine transform (DCT-II)."""
    places = (torch.arange(size, dtype=torch.float64) + 0.5) / size
    rows = torch.cos(math.pi * torch.arange(count, dtype=torch.float64)[:, None] * places) * math.sqrt(2 / size)
    rows[0] /= math.sqrt(2)
    return rows.float()


class Sketch(nn.Module):
    """Features `[B, C]` to `[B, T, M]` by weights that recipes/feature_inversion/ridge.py computes."""

    weight: Tensor
    bias: Tensor
    over_time: Tensor
    over_bands: Tensor

    def __init__(self, channels: int, frames: int, bands: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(math.prod(COSINES), channels))
        self.register_buffer("bias", torch.zeros(math.prod(COSINES)))
        self.register_buffer("over_time", cosines(COSINES[0], frames).T.contiguous(), persistent=False)
        self.register_buffer("over_bands", cosines(COSINES[1], bands), persistent=False)

    def forward(self, activation: Tensor) -> Tensor:
        """The blurred excerpt `[B, T, M]`, standardised, of a layer's `activation` `[B, C]`."""
        coefficients = F.linear(unrectified(activation), self.weight, self.bias).unflatten(1, COSINES)
        blurred: Tensor = self.over_time @ coefficients @ self.over_bands
        return blurred

    def take_over(self, pictures: Tensor, bias: Tensor) -> None:
        """Become the blur of a whole linear map: `pictures` `[C, T, M]`, one a feature, and `bias` `[T, M]`."""
        self.weight.copy_((self.over_time.T @ pictures @ self.over_bands.T).flatten(1).T)
        self.bias.copy_((self.over_time.T @ bias @ self.over_bands.T).flatten())
