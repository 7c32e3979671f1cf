"""The generator that serves as a prior over music, and the critic that trains it (Mishra et al. 2019, Tables 1 and 2).

Both see log-mels as they are, not standardised. `paper` kernels are the tables' (time × frequency); the authors'
trained model has 5×5 throughout, about a third of the generator's arithmetic.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phonoscope_trainer.frontends.mel import EXCERPT_FRAMES, FRONTEND

Kernels = Literal["paper", "5x5"]
Kernel = tuple[int, int]  # along time, along frequency
KERNELS: tuple[Kernels, ...] = get_args(Kernels)

LATENT = 128  # dimensions of z, standard normal
LEAKY_SLOPE = 0.2
STRIDE = 2
SMALL: Kernel = (5, 5)
GENERATOR_MAPS = (128, 64, 32, 16, 8)
GENERATOR_KERNELS: dict[Kernels, tuple[Kernel, ...]] = {
    "paper": ((5, 10), (5, 20), (5, 20), (5, 20)),
    "5x5": (SMALL,) * 4,
}
CRITIC_MAPS = (1, 32, 64, 128, 256)
CRITIC_KERNELS: dict[Kernels, tuple[Kernel, ...]] = {"paper": ((5, 80), (5, 40), (5, 20), (5, 10)), "5x5": (SMALL,) * 4}
SEED_SHAPE = (128, 8, 5)  # (channel, time, frequency) of what the generator's first layer makes
FRAMES_BEFORE, FRAMES_AFTER = 6, 7  # of the picture outside the excerpt: eight frames doubled four times make 128
LOG_FLOOR = math.log(FRONTEND.floor)


class Generator(nn.Module):
    """z `[B, 128]`, standard normal, to a log-mel excerpt `[B, 115, 80]`."""

    def __init__(self, kernels: Kernels = "paper") -> None:
        super().__init__()
        self.seed = nn.Linear(LATENT, math.prod(SEED_SHAPE))
        self.doublings = nn.ModuleList(
            nn.ConvTranspose2d(inputs, outputs, kernel, STRIDE, _padding(kernel), _missing(kernel))
            for inputs, outputs, kernel in zip(
                GENERATOR_MAPS, GENERATOR_MAPS[1:], GENERATOR_KERNELS[kernels], strict=False
            )
        )
        self.last = nn.Conv2d(GENERATOR_MAPS[-1], 1, SMALL, padding=_padding(SMALL))
        _keep_variance(self)

    def forward(self, z: Tensor) -> Tensor:
        """Log-mel `[B, 115, 80]`, nowhere below ln 1e-7."""
        maps = F.leaky_relu(self.seed(z), LEAKY_SLOPE).unflatten(1, SEED_SHAPE)
        for doubling in self.doublings:
            maps = F.leaky_relu(doubling(maps), LEAKY_SLOPE)
        picture = self.last(maps)[:, 0, FRAMES_BEFORE : FRAMES_BEFORE + EXCERPT_FRAMES]
        return torch.clamp(picture, min=LOG_FLOOR)


class Critic(nn.Module):
    """A log-mel excerpt `[B, 115, 80]` to how real it seems, `[B]`, without bounds."""

    def __init__(self, kernels: Kernels = "paper") -> None:
        super().__init__()
        self.kernels = CRITIC_KERNELS[kernels]
        self.halvings = nn.ModuleList(
            nn.Conv2d(inputs, outputs, kernel, STRIDE, _padding(kernel))
            for inputs, outputs, kernel in zip(CRITIC_MAPS, CRITIC_MAPS[1:], CRITIC_KERNELS[kernels], strict=False)
        )
        self.judge = nn.Linear(CRITIC_MAPS[-1] * SEED_SHAPE[1] * SEED_SHAPE[2], 1, bias=False)
        _keep_variance(self)

    def forward(self, log_mel: Tensor) -> Tensor:
        """Scores `[B]`."""
        maps = self._picture(log_mel)
        for halving in self.halvings:
            maps = F.leaky_relu(halving(maps), LEAKY_SLOPE)
        # A sum of products keeps float32 under autocast: scores run to hundreds, their differences do not.
        return (maps.flatten(1).float() * self.judge.weight).sum(dim=1)

    def input_gradient(self, log_mel: Tensor) -> Tensor:
        """`[B, 115, 80]`: the gradient of each score with respect to its own excerpt, a function of the weights.

        Between its kinks the critic is linear, so this is the transposed layers in turn, each after the slopes that the
        excerpt met there. Its derivative needs one pass back; differentiating a gradient would take two, the second of
        which carries zeros only.
        """
        slopes = []
        with torch.no_grad():
            maps = self._picture(log_mel)
            for halving in self.halvings:
                before = halving(maps)
                slopes.append(torch.where(before > 0, 1.0, LEAKY_SLOPE).to(before.dtype))
                maps = F.leaky_relu(before, LEAKY_SLOPE)
        gradient = self.judge.weight.view(1, *maps.shape[1:]).expand_as(maps)
        for halving, kernel, slope in zip(
            reversed(self.halvings), reversed(self.kernels), reversed(slopes), strict=True
        ):
            assert isinstance(halving, nn.Conv2d)
            gradient = F.conv_transpose2d(
                gradient * slope, halving.weight, None, STRIDE, _padding(kernel), _missing(kernel)
            )
        return gradient[:, 0, FRAMES_BEFORE : FRAMES_BEFORE + EXCERPT_FRAMES]

    @staticmethod
    def _picture(log_mel: Tensor) -> Tensor:
        return F.pad(log_mel, (0, 0, FRAMES_BEFORE, FRAMES_AFTER)).unsqueeze(1)


def _padding(kernel: Kernel) -> Kernel:
    """What makes a stride of two exactly halve."""
    return (kernel[0] - 1) // 2, (kernel[1] - 1) // 2


def _missing(kernel: Kernel) -> Kernel:
    """What a transposed convolution with that padding lacks of exactly twice the size."""
    return kernel[0] % 2, kernel[1] % 2


def _keep_variance(network: nn.Module) -> None:
    """He's initial weights, as in Gulrajani et al. 2017: the first excerpts vary as much as z does."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            summands = layer.weight[0].numel()
            if isinstance(layer, nn.ConvTranspose2d):  # every second position in time and in frequency meets a kernel
                summands = layer.weight[:, 0].numel() // STRIDE**2
            nn.init.normal_(layer.weight, std=math.sqrt(2 / (1 + LEAKY_SLOPE**2) / summands))
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
