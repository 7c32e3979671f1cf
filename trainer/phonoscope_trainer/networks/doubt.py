"""Doubt: how far an answer of the detector can be leaned on, by one look at layers that it has computed already.

Two chances, for an answer fails in two ways. *Wrong*: on music such as the detector learned from, answers near the
threshold are wrong most often. *Foreign*: the sound is no such music, and then the distance from the threshold says
nothing. Three densities of music tell how far a sound lies from it: of the excerpt's bands, of the deepest maps, and of
the features behind them. Noise lies nearer to the middle than any music does, so neither side of a distance is safe.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from phonoscope_trainer.networks.density import Density
from phonoscope_trainer.networks.svdnet import FC7_INPUT

SEEN = ("excerpt", "mp6", "fc7", "logit")  # what is looked at, in order: the standardised excerpt, and layers
CHANNELS, _, BANDS = FC7_INPUT
SIZES = {"bands": 3 * 80, "maps": 2 * CHANNELS * BANDS, "fc7": 256}  # features of each density
AXES = {"bands": 24, "maps": 14, "fc7": 32}  # graph and warm-up fit into 200 kB
SMALLEST_VARIANCE = 1e-8


def bands_of(excerpt: Tensor) -> Tensor:
    """`[B, 240]` of `excerpt` `[B, 115, 80]`: each band's mean, standard deviation and mean step between frames."""
    mean, deviation = _moments(excerpt, 1)
    return torch.cat([mean, deviation, (excerpt[:, 1:] - excerpt[:, :-1]).abs().mean(dim=1)], dim=1)


def maps_of(mp6: Tensor) -> Tensor:
    """`[B, 896]` of `mp6` `[B, 64, 11, 7]`: mean and standard deviation in time of every channel and band."""
    mean, deviation = _moments(mp6, 2)
    return torch.cat([mean.flatten(1), deviation.flatten(1)], dim=1)


def _moments(maps: Tensor, time: int) -> tuple[Tensor, Tensor]:
    mean = maps.mean(dim=time, keepdim=True)
    variance = (maps - mean).square().mean(dim=time)
    return mean.squeeze(time), torch.sqrt(variance + SMALLEST_VARIANCE)


class Doubt(nn.Module):
    """The standardised excerpt `[B, 115, 80]` and layers to doubt and the two chances it is made of, each `[B, 1]`."""

    threshold_logit: Tensor
    foreign_weights: Tensor
    foreign_offset: Tensor
    wrong_weight: Tensor
    wrong_offset: Tensor

    def __init__(self, axes: Mapping[str, int] = AXES) -> None:
        super().__init__()
        self.densities = nn.ModuleDict({name: Density(size, axes[name]) for name, size in SIZES.items()})
        for name in ("threshold_logit", "foreign_offset", "wrong_weight", "wrong_offset"):
            self.register_buffer(name, torch.tensor(0.0))
        self.register_buffer("foreign_weights", torch.zeros(4 * len(SIZES)))

    def strangeness(self, features: Mapping[str, Tensor]) -> Tensor:
        """`[B, 12]` the logarithms of two distances of each density, and their squares, of `SIZES`' features."""
        distances = torch.cat([density(features[name]) for name, density in self.densities.items()], dim=1)
        return torch.cat([distances, distances.square()], dim=1)

    def foreign(self, features: Mapping[str, Tensor]) -> Tensor:
        """The chance `[B, 1]` that sound is foreign, were one excerpt in two."""
        weighed = self.strangeness(features) * self.foreign_weights
        return torch.sigmoid(weighed.sum(dim=1, keepdim=True) + self.foreign_offset)

    def wrong(self, logit: Tensor) -> Tensor:
        """The chance `[B, 1]` that an answer to music is wrong, of its `logit` `[B, 1]`."""
        margin = (logit - self.threshold_logit).abs()
        return torch.sigmoid(self.wrong_weight * margin + self.wrong_offset)

    def chances(self, features: Mapping[str, Tensor], logit: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Doubt, wrong and foreign, each `[B, 1]`; doubt is the chance that at least one of the two is so."""
        foreign, wrong = self.foreign(features), self.wrong(logit)
        return 1 - (1 - wrong) * (1 - foreign), wrong, foreign

    def forward(self, excerpt: Tensor, mp6: Tensor, fc7: Tensor, logit: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The same of what is looked at."""
        return self.chances({"bands": bands_of(excerpt), "maps": maps_of(mp6), "fc7": fc7}, logit)
