"""The best linear inverter of a layer's features: ridge regression, in closed form, from sums over the music.

The features are taken before their leaky rectifier, which can be undone. Excerpts count as `row_weights` says.

A detector that answers alike at all levels hardly knows the level, and what its features still say of it on one kind of
music misleads on another: believed to the letter, FC8 draws solo voices worse than the mean excerpt does. So of an
excerpt's mean level a layer's ridge is believed in part, and the mean of all music stands for the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from phonoscope_trainer.frontends.mel import EXCERPT_FRAMES
from phonoscope_trainer.networks.feature_inverters import CHANNELS, EXCERPT
from phonoscope_trainer.networks.sketch import unrectified
from phonoscope_trainer.networks.svdnet import FRAMES_PER_STEP, SVDNet
from phonoscope_trainer.recipes.feature_inversion.objective import row_weights

LAYERS = ("fc7", "fc8")  # without positions
LEVEL_SHARE = {"fc7": 0.85, "fc8": 0.15}  # the largest that leave no corpus' valid split worse than the mean excerpt
PENALTY = 0.003  # on the weights of standardised features, beside their mean square error


class LinearInverter(nn.Module):
    """A layer's activation to an excerpt by one matrix; the same use as a `FeatureInverter`."""

    pictures: Tensor
    bias: Tensor

    def __init__(self, layer: str, pictures: Tensor, bias: Tensor) -> None:
        """Of a layer of C features, `pictures` `[C, 115, 80]` that each adds, and `bias` `[115, 80]`."""
        super().__init__()
        self.layer = layer
        self.register_buffer("pictures", pictures)
        self.register_buffer("bias", bias)

    def forward(self, activation: Tensor) -> Tensor:
        """The inversion `[B, 115, 80]` of `activation` `[B, C]`."""
        inversion: Tensor = torch.tensordot(unrectified(activation), self.pictures, dims=1) + self.bias
        return inversion


class RidgeSums:
    """What a ridge regression must know of all excerpts: weighted sums, added up batch by batch."""

    def __init__(self, channels: int) -> None:
        size = 1 + channels  # a constant one before the features stands for the mean
        self.features = torch.zeros(size, size, dtype=torch.float64)
        self.pictures = torch.zeros(size, EXCERPT[0] * EXCERPT[1], dtype=torch.float64)
        self.levels, self.excerpts = 0.0, 0

    def add(self, features: Tensor, excerpts: Tensor) -> None:
        """Count `features` `[B, C]`, unrectified, and the standardised `excerpts` `[B, 115, 80]` that they are of."""
        pictures = excerpts.flatten(1)
        one = torch.cat([torch.ones(len(features), 1), features.float()], dim=1)
        weighed = (one * row_weights(excerpts)[:, None]).T
        self.features += weighed @ one
        self.pictures += weighed @ pictures
        self.levels += float(pictures.mean(dim=1).sum())
        self.excerpts += len(pictures)

    def solve(self, level_share: float, penalty: float = PENALTY) -> tuple[Tensor, Tensor]:
        """`[C, 115, 80]` pictures and `[115, 80]` bias with the least weighted square error and penalty.

        With means removed and features scaled to a variance of one, weights w minimise E|x - z·w|² + penalty·|w|². Of
        the mean over an excerpt, `level_share` is what they give, and the rest that of the mean excerpt.
        """
        total = self.features[0, 0]
        mean, mean_picture = self.features[0, 1:] / total, self.pictures[0] / total
        covariance = self.features[1:, 1:] / total - torch.outer(mean, mean)
        shared = self.pictures[1:] / total - torch.outer(mean, mean_picture)
        scale = covariance.diagonal().clamp(min=1e-12).sqrt()
        normal = covariance / torch.outer(scale, scale) + penalty * torch.eye(len(scale), dtype=torch.float64)
        weights = torch.linalg.solve(normal, shared / scale[:, None]) / scale[:, None]
        bias = mean_picture - mean @ weights
        weights -= (1 - level_share) * weights.mean(dim=1, keepdim=True)
        bias -= (1 - level_share) * (bias.mean() - self.levels / self.excerpts)
        return weights.unflatten(1, EXCERPT).float(), bias.unflatten(0, EXCERPT).float()


@torch.inference_mode()
def linear_inverters(
    pieces: Iterable[Tensor], network: SVDNet, layers: Sequence[str] = LAYERS
) -> tuple[LinearInverter, ...]:
    """The ridge of every one of `layers` of `network`, in one pass over `pieces`.

    Args:
        pieces: batches `[B, T, M]` of standardised music, T >= 115; every ninth frame begins an excerpt.
        network: the detector.
        layers: of `LAYERS`.
    """
    sums = {layer: RidgeSums(CHANNELS[layer]) for layer in layers}
    for piece in pieces:
        excerpts = piece.unfold(1, EXCERPT_FRAMES, FRAMES_PER_STEP).transpose(2, 3).flatten(0, 1)
        for layer, activation in network.stages(piece):
            if layer in sums:
                sums[layer].add(unrectified(activation[..., 0].transpose(1, 2).flatten(0, 1)), excerpts)
    return tuple(LinearInverter(layer, *each.solve(LEVEL_SHARE[layer])) for layer, each in sums.items())
