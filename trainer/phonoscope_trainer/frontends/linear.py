"""The ears of the tagger: samples to linear STFT magnitudes and back (Choi et al. 2016, section 4).

11 025 Hz, frames of 512 samples every 256, periodic Hann, centred: frame i has its middle at sample 256·i, and zeros
stand where a frame reaches over the end. Four seconds are 173 frames of 257 bins, as `librosa.stft` gives them.
Magnitudes are linear, as in the paper, times one fixed gain that brings music near 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.frontends.mel import windowed_basis


@dataclass(frozen=True, slots=True)
class LinearStftOptions:
    """The transform, described completely."""

    sample_rate_hz: int = 11_025
    frame_samples: int = 512
    hop_samples: int = 256
    clip_s: float = 4.0
    gain: float = 0.25  # of what the network sees: a magnitude of 4 becomes 1

    def __post_init__(self) -> None:
        if self.frame_samples % self.hop_samples:
            raise OptionsError(
                f"frame_samples must be a multiple of hop_samples, are {self.frame_samples} and {self.hop_samples}"
            )

    @property
    def bins(self) -> int:
        """Fourier bins from 0 Hz to half the sample rate, both included."""
        return self.frame_samples // 2 + 1

    @property
    def clip_samples(self) -> int:
        """Samples of one clip."""
        return round(self.clip_s * self.sample_rate_hz)

    @property
    def clip_frames(self) -> int:
        """Frames of one clip."""
        return 1 + self.clip_samples // self.hop_samples

    @property
    def bin_hz(self) -> float:
        """From one bin to the next."""
        return self.sample_rate_hz / self.frame_samples


LINEAR_STFT = LinearStftOptions()


class LinearStft(nn.Module):
    """Samples to their complex spectrum, as two convolutions with a fixed basis; float32."""

    window: Tensor

    def __init__(self, options: LinearStftOptions = LINEAR_STFT) -> None:
        super().__init__()
        self.options = options
        self.register_buffer("window", torch.hann_window(options.frame_samples), persistent=False)

    def spectrum(self, samples: Tensor) -> Tensor:
        """Real and imaginary parts `[B, 2, T, bins]` of `samples` `[B, N]`; T = 1 + N // hop_samples."""
        half = self.options.frame_samples // 2
        padded = F.pad(samples.unsqueeze(1), (half, half))
        both = F.conv1d(padded, windowed_basis(self.window), stride=self.options.hop_samples)
        spectrum: Tensor = both.unflatten(1, (2, self.options.bins)).transpose(2, 3)
        return spectrum

    def magnitude(self, spectrum: Tensor) -> Tensor:
        """What the tagger sees, `[B, T, bins]`: the magnitude of `spectrum` `[B, 2, T, bins]` times the gain."""
        real, imaginary = spectrum.unbind(1)
        return torch.sqrt(real * real + imaginary * imaginary) * self.options.gain

    def forward(self, samples: Tensor) -> Tensor:
        """What the tagger sees, `[B, T, bins]`, of `samples` `[B, N]` in [-1, 1]."""
        return self.magnitude(self.spectrum(samples))
