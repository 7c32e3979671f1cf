"""How unlike a set of features is to those that were learned from: a Gaussian, as probabilistic PCA fits it.

Features are scaled to a variance of one each. Along the axes in which they vary most the Gaussian has their own
variance, in all others one and the same (Tipping & Bishop 1999, Eq. 12). The mean square distances in both parts are
told apart: what is strange may lie far out where music varies, as in the Mahalanobis distance of Lee et al. (2018), or
off the subspace that music keeps to.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

SMALLEST = 1e-6  # of a distance whose logarithm is taken, and of a spread


class Density(nn.Module):
    """Features `[B, D]` to the logarithms of two mean square distances `[B, 2]`: along the axes, and off them."""

    centre: Tensor
    scale: Tensor
    axes: Tensor
    spread: Tensor
    rest: Tensor

    def __init__(self, features: int, axes: int) -> None:
        """Of nothing yet: `fitted` makes one of features, and a state another."""
        super().__init__()
        self.register_buffer("centre", torch.zeros(features))
        self.register_buffer("scale", torch.ones(features))
        self.register_buffer("axes", torch.eye(features)[:, :axes].clone())  # `[D, K]`, orthonormal
        self.register_buffer("spread", torch.ones(axes))  # standard deviation along each
        self.register_buffer("rest", torch.tensor(1.0))  # variance off them, mean over D - K

    @classmethod
    def fitted(cls, features: Tensor, axes: int) -> Density:
        """Of features `[N, D]`, N > 1 and D > `axes`."""
        density, x = cls(features.shape[1], axes), features.double()
        density.centre, density.scale = x.mean(dim=0).float(), x.std(dim=0).clamp(min=SMALLEST).float()
        z = (x - density.centre) / density.scale
        variances, directions = torch.linalg.eigh(z.T @ z / len(z))  # ascending
        density.axes = directions[:, -axes:].float().contiguous()
        density.spread = variances[-axes:].clamp(min=SMALLEST).sqrt().float()
        density.rest = variances[:-axes].clamp(min=SMALLEST).mean().float()
        return density

    def forward(self, features: Tensor) -> Tensor:
        """The logarithms `[B, 2]`."""
        z = (features - self.centre) / self.scale
        along = z @ self.axes
        inside = (along / self.spread).square().mean(dim=1)
        # What is off the axes is what is left, for they are orthonormal; so a graph holds them once.
        left = (z.square().sum(dim=1) - along.square().sum(dim=1)).clamp(min=0)
        off = left / (z.shape[1] - along.shape[1]) / self.rest
        return torch.log(torch.stack([inside, off], dim=1) + SMALLEST)
