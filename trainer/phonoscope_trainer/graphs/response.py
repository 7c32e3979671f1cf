"""A weighted sum of a detector's units as a function of the generator's input, with its gradient."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phonoscope_trainer.graphs.chains import detector_chain, generator_chain
from phonoscope_trainer.graphs.description import EXCERPT
from phonoscope_trainer.networks.gan import Generator
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import LAYERS, SVDNet

UNITS = (*LAYERS, "logit")  # layers whose channels can be asked for


class MeanOrPlace(nn.Module):
    """What is asked of a layer's maps `[B, C, T, M]`: the mean of each, or its value at one frame and band.

    Weights and places are brought to the maps' own shape by a convolution, which is how ONNX Runtime brings anything
    into the layout that its convolutions work in.
    """

    ones: Tensor
    frames: Tensor
    bands: Tensor

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.channels, *self.size = shape
        self.register_buffer("ones", torch.ones(self.channels, 1, 1, 1), persistent=False)
        self.register_buffer("frames", torch.arange(shape[1], dtype=torch.int32), persistent=False)
        self.register_buffer("bands", torch.arange(shape[2], dtype=torch.int32), persistent=False)

    def forward(self, position: Tensor) -> Tensor:
        """Shares `[B, C, T, M]` that sum to one in a channel: all at `position` `[B, 2]`, or equal where that is -1."""
        here = (position[:, :1, None] == self.frames[:, None]) & (position[:, 1:, None] == self.bands)
        shares = torch.where(
            position[:, :1, None] < 0, 1 / (len(self.frames) * len(self.bands)), here.to(self.ones.dtype)
        )
        return F.conv2d(shares[:, None], self.ones)

    def read(self, maps: Tensor, place: Tensor) -> Tensor:
        """`[B, C]` what is at the place of the maps."""
        return F.avg_pool2d(maps * place, self.size).flatten(1) * (len(self.frames) * len(self.bands))

    def spread(self, weights: Tensor, place: Tensor) -> Tensor:
        """`[B, C, T, M]` the gradient of the `weights` `[B, C]` times what is at the place."""
        each = F.conv2d(weights[:, :, None, None], self.ones, groups=self.channels)
        return F.interpolate(each, scale_factor=[float(size) for size in self.size], mode="nearest") * place


class Response(nn.Module):
    """A weighted sum of the detector's units at z, and its gradient."""

    def __init__(self, generator: Generator, standardise: Standardise, network: SVDNet) -> None:
        super().__init__()
        self.prior, self.detector = generator_chain(generator, standardise), detector_chain(network)
        with torch.no_grad():
            found = self.detector(network.fc7.weight.new_zeros(1, 1, *EXCERPT))
        self.widths = {name: found[name].shape[1] for name in UNITS}
        self.maps = nn.ModuleDict({name: MeanOrPlace(found[name].shape[1:]) for name in UNITS if found[name].ndim > 2})

    def with_gradient(self, z: Tensor, weights: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
        """The response `[B, 1]` to z, and its gradient `[B, 128]`.

        Args:
            z: `[B, 128]`.
            weights: `[B, C]` of every channel of every layer.
            position: int32 `[B, 2]` frame and band; -1, -1: the mean.
        """
        made, places = self.prior(z), {name: asked(position) for name, asked in self._asked()}
        heard = self.detector(made["standardised"])
        seeds = self._of_layers(weights)
        seeds |= {name: asked.spread(seeds[name], places[name]) for name, asked in self._asked()}
        excerpt = self.detector.gradient(heard, seeds)
        return self._response(heard, weights, places), self.prior.gradient(made, {"standardised": excerpt})

    def _response(self, heard: dict[str, Tensor], weights: Tensor, places: dict[str, Tensor]) -> Tensor:
        read = {name: heard[name] for name in self.widths}
        read |= {name: asked.read(heard[name], places[name]) for name, asked in self._asked()}
        return torch.sum(torch.cat(list(read.values()), dim=1) * weights, dim=1, keepdim=True)

    def _of_layers(self, weights: Tensor) -> dict[str, Tensor]:
        return dict(zip(self.widths, weights.split(list(self.widths.values()), dim=1), strict=True))

    def _asked(self) -> Iterator[tuple[str, MeanOrPlace]]:
        for name, asked in self.maps.items():
            assert isinstance(asked, MeanOrPlace)
            yield name, asked
