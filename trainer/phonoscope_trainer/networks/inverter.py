"""The explanation inverter: FC8 features back to an excerpt (Mishra et al., EUSIPCO 2018, Table I).

The paper states 31 887 parameters. Its table's rows count 31 877, batch-norm statistics included and the last
up-convolution with a bias instead of batch normalisation; a final 3×3 convolution from one map to one, with bias and
not in the table, makes the difference of 10. Both variants are here.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

Variant = Literal["table", "final-convolution"]

FEATURES = 64  # of FC8
FILTERS = (16, 8, 4, 2)  # of each up-convolution and of the convolution behind it
SEED_SHAPE = (16, 4, 4)  # FC2 reshaped: (channel, time, frequency)
EXCERPT = (115, 80)  # the 128 × 128 picture is cropped to its top left
NORM_EPSILON = 1e-4


class ExplanationInverter(nn.Module):
    """FC8 features `[B, 64]` to a standardised log-mel excerpt `[B, 115, 80]`; values are at least -1 (ELU)."""

    def __init__(self, variant: Variant = "table") -> None:
        super().__init__()
        channels = SEED_SHAPE[0]
        self.dense = nn.Sequential(*_dense(FEATURES, 64), *_dense(64, 256))
        stages: list[nn.Module] = []
        for filters in FILTERS:
            stages += _up_convolution(channels, filters) + _convolution(filters, filters)
            channels = filters
        stages += [nn.ConvTranspose2d(channels, 1, 4, stride=2, padding=1), nn.ELU()]
        if variant == "final-convolution":
            stages += [nn.Conv2d(1, 1, 3, padding=1), nn.ELU()]
        self.stages = nn.Sequential(*stages)
        for layer in self.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(layer.weight)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def forward(self, fc8: Tensor) -> Tensor:
        """The inversion `[B, 115, 80]` of `fc8` `[B, 64]`."""
        picture = self.stages(self.dense(fc8).unflatten(1, SEED_SHAPE))
        return torch.narrow(torch.narrow(picture[:, 0], 1, 0, EXCERPT[0]), 2, 0, EXCERPT[1])


def parameter_count(network: nn.Module) -> int:
    """Parameters as the paper counts them: trainable ones and the running statistics of batch normalisation."""
    statistics = [b for name, b in network.named_buffers() if not name.endswith("num_batches_tracked")]
    return sum(p.numel() for p in network.parameters()) + sum(b.numel() for b in statistics)


def _dense(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs, NORM_EPSILON), nn.ELU()]


def _up_convolution(inputs: int, outputs: int) -> list[nn.Module]:
    """Exactly twice the size: transposed 4×4, stride 2, padding 1."""
    layer = nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False)
    return [layer, nn.BatchNorm2d(outputs, NORM_EPSILON), nn.ELU()]


def _convolution(inputs: int, outputs: int) -> list[nn.Module]:
    layer = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    return [layer, nn.BatchNorm2d(outputs, NORM_EPSILON), nn.ELU()]
