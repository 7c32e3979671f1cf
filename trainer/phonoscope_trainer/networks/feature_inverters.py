"""Feature inverters: every layer of SVDNet back to an excerpt (Mishra et al., ISMIR 2018, Tables 1 and 2).

Three variants. Two have the same weights in the same places, so the same number of parameters:

`paper` ends in an ELU, so nothing below -1 can be shown; crops the top left of a picture that is up-convolved by powers
of two, though the detector pools by three; and pads the pictures of Conv1 and Conv2 with zeros. Even an inverter that
knew the excerpt would make errors (`experiment inversion` measures them as `paper_floor`).

`aligned` ends linearly; its convolutions add the positions that the detector's valid ones took away; and its
up-convolutions stride by three where the detector pools. Every position of a layer then lies over the part of the
excerpt that it was computed from.

`sketched` is `aligned`, but for FC7 and FC8: there the network draws only what a linear map of the features, the
sketch, leaves to be drawn at its level. The sketch has a closed form; a network must search for it for days.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.networks.sketch import Sketch
from phonoscope_trainer.networks.svdnet import LAYERS

Variant = Literal["sketched", "aligned", "paper"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)

# F: fully connected, C: convolution 3×3, U: up-convolution 4×4; the number is how many features or maps come out.
PLANS = {
    "conv1": "C64 C1",
    "conv2": "C32 C32 C32 C1",
    "mp3": "C32 C32 C32 C32 U16 U1",
    "conv4": "C128 C128 C128 U64 U1",
    "conv5": "C64 C64 C64 U32 U1",
    "mp6": "C64 U32 U16 U8 U1",
    "fc7": "F256 U64 C64 U32 C32 U16 C16 U8 C8 U1",
    "fc8": "F64 F256 U64 C64 U32 C32 U16 C16 U8 C8 U1",
}
CHANNELS = {"conv1": 64, "conv2": 32, "mp3": 32, "conv4": 128, "conv5": 64, "mp6": 64, "fc7": 256, "fc8": 64}
SEED_SHAPE = (16, 4, 4)  # 256 features reshaped: (channel, time, frequency)
EXCERPT = (115, 80)
NORM_EPSILON = 1e-4
NORM_MOMENTUM = 0.05  # running statistics over some twenty batches, which may be small

# `aligned`: how many convolutions, the first ones, pad by 2 and so add a position on every side.
WIDENING = {"conv1": 1, "conv2": 2, "mp3": 1, "conv4": 2, "conv5": 3, "mp6": 1}
# `aligned`: (stride, padding) of the up-convolutions; the padding of 2 takes away what lies outside the excerpt.
STRIDES = {
    "mp3": ((3, 0), (1, 1)),
    "conv4": ((3, 0), (1, 1)),
    "conv5": ((3, 0), (1, 1)),
    "mp6": ((3, 0), (1, 2), (3, 0), (1, 1)),
}
ALIGNED_CORNER = 2  # where the excerpt begins in the picture that these strides make
FIRST_PICTURE = 0.1  # `aligned`: He's last kernel times this, so that training begins near the mean excerpt
DOUBLING = (2, 1)  # `paper`, and layers without positions: exactly twice the size


class FeatureInverter(nn.Module):
    """The activation of one layer to a standardised log-mel excerpt.

    Raises:
        OptionsError: SVDNet has no such layer.
    """

    def __init__(self, layer: str, variant: Variant = "aligned") -> None:
        super().__init__()
        if layer not in PLANS:
            raise OptionsError(f"layer is {layer!r}; it must be one of {', '.join(LAYERS)}")
        self.layer, self.variant = layer, variant
        self.corner = ALIGNED_CORNER if variant != "paper" and layer in STRIDES else 0
        dense = [part for part in PLANS[layer].split() if part.startswith("F")]
        self.sketch = Sketch(CHANNELS[layer], *EXCERPT) if variant == "sketched" and dense else None
        self.dense = nn.Sequential(*_dense(CHANNELS[layer], [int(part[1:]) for part in dense]))
        self.stages = nn.Sequential(*self._stages(PLANS[layer].split()[len(dense) :]))
        for part in self.modules():
            if isinstance(part, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(part.weight)
                if part.bias is not None:
                    nn.init.zeros_(part.bias)
        if variant != "paper":
            last_kernel = [weight for weight in self.parameters() if weight.ndim > 1][-1]
            with torch.no_grad():
                last_kernel.mul_(FIRST_PICTURE if self.sketch is None else 0)  # where there is one, it begins there

    def forward(self, activation: Tensor) -> Tensor:
        """The inversion `[B, 115, 80]` of `activation`: maps `[B, C, T, M]`, or features `[B, C]`."""
        seed = self.dense(activation).unflatten(1, SEED_SHAPE) if len(self.dense) else activation
        picture = self.stages(seed)[:, 0]
        if picture.shape[1] < EXCERPT[0]:
            missing = (EXCERPT[0] - picture.shape[1]) // 2
            return F.pad(picture, (missing, missing, missing, missing))
        drawn = torch.narrow(torch.narrow(picture, 1, self.corner, EXCERPT[0]), 2, self.corner, EXCERPT[1])
        if self.sketch is None:
            return drawn
        sketched: Tensor = self.sketch(activation) + drawn - drawn.mean(dim=(1, 2), keepdim=True)  # its level is kept
        return sketched

    def _stages(self, parts: list[str]) -> Iterator[nn.Module]:
        channels = SEED_SHAPE[0] if len(self.dense) else CHANNELS[self.layer]
        aligned = self.variant != "paper"
        widening = WIDENING.get(self.layer, 0) if aligned else 0
        strides = iter(STRIDES.get(self.layer, ())) if aligned else iter(())
        for number, part in enumerate(parts):
            kind, filters, last = part[0], int(part[1:]), part is parts[-1]
            bias = last and bool(len(self.dense))  # Table 1's last up-convolution has no batch normalisation
            if kind == "C":
                yield nn.Conv2d(channels, filters, 3, padding=2 if number < widening else 1, bias=bias)
            else:
                stride, padding = next(strides, DOUBLING)
                yield nn.ConvTranspose2d(channels, filters, 4, stride, padding, bias=bias)
            if not bias:
                yield ScaleAndShift() if last and aligned else nn.BatchNorm2d(filters, NORM_EPSILON, NORM_MOMENTUM)
            if not (last and aligned):
                yield nn.ELU()
            channels = filters


class ScaleAndShift(nn.Module):
    """What batch normalisation learns, without normalising: a batch of loud excerpts may come out loud."""

    def __init__(self) -> None:
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.ones(())), nn.Parameter(torch.zeros(()))

    def forward(self, picture: Tensor) -> Tensor:
        """The `picture`, of any shape, times the scale and plus the shift."""
        return self.scale * picture + self.shift


def trainable_parameters(network: nn.Module) -> int:
    """How many numbers training changes: what the authors' tables count."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def _dense(inputs: int, widths: list[int]) -> Iterator[nn.Module]:
    for width in widths:
        yield from (nn.Linear(inputs, width, bias=False), nn.BatchNorm1d(width, NORM_EPSILON, NORM_MOMENTUM), nn.ELU())
        inputs = width
