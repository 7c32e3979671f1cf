"""The front-end that parameters describe: samples to bands, and bands to what a network is given.

    samples ─ frames, window, Fourier ─▶ magnitude ─ power, filters ─▶ bands ─ √, ln ─▶ log_mel ─ `Picture` ─▶ picture

`log_mel` is the contract's: the natural logarithm of each band's magnitude, whatever the network is given; what is
tried on an explanation is tried on it, and `Picture` makes the network's own of it.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phonoscope_trainer.frontends.mel import windowed_basis
from phonoscope_trainer.frontends.parameters import FrontendParameters, filters_of, window_of

QUIETEST = 1e-7  # magnitude of a band, of full scale: nothing is quieter
LOGARITHMS = {"ln": 1.0, "log10": 1 / math.log(10), "db": 10 / math.log(10)}


class Bands(nn.Module):
    """Samples to the natural logarithm of each band's magnitude; float32."""

    window: Tensor
    filters: Tensor

    def __init__(self, parameters: FrontendParameters) -> None:
        super().__init__()
        self.options = parameters
        self.register_buffer("window", torch.from_numpy(window_of(parameters)).float(), persistent=False)
        self.register_buffer("filters", torch.from_numpy(filters_of(parameters)).float(), persistent=False)

    def spectrum(self, samples: Tensor) -> Tensor:
        """Real and imaginary parts `[B, 2, T, bins]` of `samples` `[B, N]`; frame i starts at sample i·hop."""
        both = F.conv1d(samples.unsqueeze(1), windowed_basis(self.window), stride=self.options.hop_samples)
        spectrum: Tensor = both.unflatten(1, (2, self.options.bins)).transpose(2, 3)
        return spectrum

    def energy(self, samples: Tensor) -> Tensor:
        """Each band `[B, T, M]` of `samples` `[B, N]`: sums of magnitudes to the parameters' power."""
        energy = self.spectrum(samples).square().sum(dim=1)
        powered = energy if self.options.power == 2 else torch.sqrt(energy)
        return powered @ self.filters

    def forward(self, samples: Tensor) -> Tensor:
        """`log_mel` `[B, T, M]` of `samples` `[B, N]` in [-1, 1]; T = 1 + (N - fft_samples) // hop_samples."""
        power = self.options.power
        return torch.log(torch.clamp(self.energy(samples), min=QUIETEST**power)) / power


class Picture(nn.Module):
    """What the network is given, of what each band's magnitude is."""

    def __init__(self, parameters: FrontendParameters) -> None:
        super().__init__()
        self.options = parameters

    def forward(self, log_mel: Tensor) -> Tensor:
        """The picture `[B, T, M]` of `log_mel` `[B, T, M]`."""
        options = self.options
        band = torch.exp(options.power * (log_mel + math.log(options.full_scale)))
        if options.rounding == "float16":
            band = band.to(torch.float16).float()
        if options.compression == "none":
            return options.gain * band + options.shift
        inside = options.offset + options.slope * torch.clamp(band, min=options.floor)
        return options.gain * LOGARITHMS[options.compression] * torch.log(inside) + options.shift


class FromPicture(nn.Module):
    """The way back: the logarithm of each band's magnitude, of what a network is given; no rounding is undone."""

    def __init__(self, parameters: FrontendParameters) -> None:
        super().__init__()
        self.options = parameters

    def forward(self, picture: Tensor) -> Tensor:
        """`log_mel` `[B, T, M]` of a picture `[B, T, M]`."""
        options = self.options
        band = (picture - options.shift) / options.gain
        if options.compression != "none":
            band = (torch.exp(band / LOGARITHMS[options.compression]) - options.offset) / options.slope
        quietest = (QUIETEST * options.full_scale) ** options.power
        return torch.log(torch.clamp(band, min=quietest)) / options.power - math.log(options.full_scale)


def frames_of(samples: np.ndarray[tuple[int], np.dtype[np.float32]], parameters: FrontendParameters) -> Tensor:
    """Pictures `[T, M]` of a whole recording `[N]`, its ends padded as the parameters say."""
    modes = {"reflect": "reflect", "zeros": "constant"}
    whole = torch.from_numpy(samples)[None, None]
    if parameters.padding != "none":
        half = parameters.fft_samples // 2
        whole = F.pad(whole, (half, half), mode=modes[parameters.padding])
    with torch.inference_mode():
        picture: Tensor = Picture(parameters)(Bands(parameters)(whole[0]))
    return picture[0]
