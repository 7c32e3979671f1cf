"""The ears of the detector: samples to log-mel (Schlüter & Grill 2015, section 3.1; their released front-end).

    samples ─ framing, Hann, Fourier as two matrix products ─▶ magnitude ─ filterbank product ─▶ mel ─ ln ─▶ log-mel

One module serves training and the exported graph, so the two cannot drift apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True, slots=True)
class FrontendOptions:
    """The front-end's constants; derived ones are properties."""

    sample_rate_hz: int = 22050
    frame_samples: int = 1024
    hop_samples: int = 315
    bands: int = 80
    lowest_hz: float = 27.5
    highest_hz: float = 8000.0
    floor: float = 1e-7  # smallest mel magnitude

    @property
    def frames_per_second(self) -> int:
        """Frames per second, refused where it is not whole."""
        rate, rest = divmod(self.sample_rate_hz, self.hop_samples)
        if rest:
            raise ValueError(f"hop_samples {self.hop_samples} does not divide sample_rate_hz {self.sample_rate_hz}")
        return rate

    @property
    def bins(self) -> int:
        """Fourier bins from 0 Hz up to the highest band edge; the filterbank is zero above them."""
        return int(self.highest_hz * self.frame_samples / self.sample_rate_hz) + 1

    def samples_of(self, frames: int) -> int:
        """Samples that exactly `frames` frames span."""
        return self.frame_samples + (frames - 1) * self.hop_samples

    def frames_of(self, samples: int) -> int:
        """Whole frames in `samples` samples: no centring, no padding."""
        return max(0, 1 + (samples - self.frame_samples) // self.hop_samples)


FRONTEND = FrontendOptions()
EXCERPT_FRAMES = 115  # what the detector sees at once
CONTEXT_FRAMES = (EXCERPT_FRAMES - 1) // 2  # on either side of the frame it labels


def band_peaks_hz(options: FrontendOptions = FRONTEND) -> NDArray[np.float64]:
    """`[bands + 2]` edges and peaks of the triangular filters, equally spaced in 1127·ln(1 + f/700)."""
    lowest, highest = 1127 * np.log1p(np.array([options.lowest_hz, options.highest_hz]) / 700)
    return np.asarray(700 * np.expm1(np.linspace(lowest, highest, options.bands + 2) / 1127))


def triangles(options: FrontendOptions, bins: int) -> NDArray[np.float64]:
    """`[bins, bands]` triangular filters with peak 1, before each is divided by its sum."""
    peaks = band_peaks_hz(options)
    left, centre, right = peaks[:-2], peaks[1:-1], peaks[2:]
    frequency = np.arange(bins)[:, None] * options.sample_rate_hz / options.frame_samples
    rising = (frequency - left) / (centre - left)
    falling = (right - frequency) / (right - centre)
    return np.maximum(0, np.minimum(rising, falling))


def mel_filterbank(options: FrontendOptions = FRONTEND) -> NDArray[np.float64]:
    """`[bins, bands]` filters, each divided by the sum of its own bins."""
    filters = triangles(options, options.bins)
    return np.asarray(filters / filters.sum(axis=0))


def windowed_basis(window: Tensor) -> Tensor:
    """`[2·bins, 1, frame_samples]` cosines, then negated sines, under `window` `[frame_samples]`; float32.

    Computed from whole numbers wherever it is used, because a graph need not hold what an engine computes once.
    """
    size = len(window)
    bins = size // 2 + 1
    row = torch.arange(2 * bins, device=window.device).unsqueeze(1)
    # A negated sine is a cosine a quarter turn ahead.
    turns = (row % bins) * torch.arange(size, device=window.device) + (row // bins) * (size // 4)
    return (torch.cos((turns % size) * (2 * torch.pi / size)) * window).unsqueeze(1)


def phases(samples: int, bins: int, frame_samples: int) -> NDArray[np.float64]:
    """`[samples, bins]` the angle of each bin's tone at each sample, less whole turns: there are few angles."""
    turns = np.arange(samples)[:, None] * np.arange(bins) % frame_samples
    return 2 * np.pi * turns / frame_samples


class Frontend(nn.Module):
    """Samples to natural-log mel magnitudes; float32 but for the transform's sums.

    Those are float64: where one tone towers 80 dB over a band, what float32 rounds off is louder than the band.
    """

    window: Tensor
    cosines: Tensor
    sines: Tensor
    filterbank: Tensor

    def __init__(self, options: FrontendOptions = FRONTEND) -> None:
        super().__init__()
        self.options = options
        half = options.frame_samples // 2
        phase = phases(half + 1, options.bins, options.frame_samples)
        constants = {
            "window": np.hanning(options.frame_samples),
            "cosines": np.cos(phase),
            "sines": np.sin(phase[1:-1]),
            "filterbank": mel_filterbank(options).astype(np.float32),
        }
        for name, value in constants.items():
            self.register_buffer(name, torch.from_numpy(value), persistent=False)

    def magnitude(self, samples: Tensor) -> Tensor:
        """Linear magnitudes `[B, T, bins]` of `samples` `[B, N]` in [-1, 1]; frame i starts at sample i·hop.

        Sample n and sample -n of a frame meet the same cosine and opposite sines, so their sum and their difference
        are what is transformed: half the work of the definition. The STFT and DFT operators have no CUDA kernel in
        ONNX Runtime, a matrix product has.
        """
        frames = self._frames(samples).double() * self.window
        half = self.options.frame_samples // 2
        early, late = frames[..., 1:half], frames[..., half + 1 :].flip(-1)
        even = torch.cat([frames[..., :1], early + late, frames[..., half : half + 1]], dim=-1)
        real, imaginary = even @ self.cosines, (early - late) @ self.sines
        return torch.sqrt(real * real + imaginary * imaginary).float()

    def _frames(self, samples: Tensor) -> Tensor:
        """`[B, T, frame_samples]`, overlapping: a few hops side by side each.

        Runtimes copy stretches of sound far faster than they gather samples.
        """
        size, hop = self.options.frame_samples, self.options.hop_samples
        count = 1 + (samples.shape[1] - size) // hop
        hops = -(-size // hop)  # that a frame reaches into
        whole = F.pad(samples, (0, hops * hop - size))[:, : (count - 1 + hops) * hop]
        steps = whole.reshape(len(samples), count - 1 + hops, hop)
        return torch.cat([steps[:, each : each + count] for each in range(hops)], dim=-1)[..., :size]

    def log_mel(self, magnitude: Tensor) -> Tensor:
        """Natural logarithm of the mel magnitude `[B, T, M]` of `magnitude` `[B, T, bins]`, floored at 1e-7."""
        return torch.log(torch.clamp(magnitude @ self.filterbank, min=self.options.floor))

    def forward(self, samples: Tensor) -> Tensor:
        """Log-mel `[B, T, M]` of `samples` `[B, N]`; T = 1 + (N - frame_samples) // hop_samples."""
        return self.log_mel(self.magnitude(samples))
