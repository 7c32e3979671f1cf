"""A listener that takes the waveform, made to look at pictures: a transform before it, and its inverse inside it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phonoscope_trainer.graphs.exchange import LN_FLOOR
from phonoscope_trainer.graphs.tagger import Given
from phonoscope_trainer.graphs.transform import Transform, magnitude


@dataclass(frozen=True, slots=True)
class WaveformOptions:
    """What the network takes, and the transform that its explanations are about."""

    samples: int
    sample_rate_hz: int
    frame_samples: int = 1024
    hop_samples: int = 256

    @property
    def frames(self) -> int:
        """Frames whose middles lie `hop_samples` apart, from the first sample to beyond the last."""
        return 1 + -(-self.samples // self.hop_samples)

    @property
    def bins(self) -> int:
        """Fourier bins."""
        return self.frame_samples // 2 + 1

    @property
    def picture(self) -> tuple[int, int]:
        """Frames and bins."""
        return self.frames, self.bins


class CentredExcerpt(nn.Module):
    """The transform of one excerpt, frames centred, and its inverse."""

    def __init__(self, options: WaveformOptions) -> None:
        super().__init__()
        self.before, self.samples = options.frame_samples // 2, options.samples
        whole = options.frame_samples + (options.frames - 1) * options.hop_samples
        self.after = whole - self.before - options.samples
        window = np.hanning(options.frame_samples + 1)[:-1]
        self.transform = Transform(window, options.hop_samples, options.frames)

    def spectrum(self, samples: Tensor) -> Tensor:
        """Real and imaginary parts `[B, 2, T, bins]` of `samples` `[B, N]`."""
        return self.transform.spectrum(F.pad(samples, (self.before, self.after)))

    def sound(self, spectrum: Tensor) -> Tensor:
        """Samples `[B, N]` of `spectrum` `[B, 2, T, bins]`."""
        return self.transform.sound(spectrum)[:, self.before : self.before + self.samples]


class WaveformFrontend(nn.Module):
    """Samples to magnitudes, their logarithm, and the phase that both leave out."""

    def __init__(self, options: WaveformOptions) -> None:
        super().__init__()
        self.transform, self.given = CentredExcerpt(options), Given()

    def forward(self, samples: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """`log_mel` and `standardised`, both `[B, T, bins]`, and `phase` `[B, 2, T, bins]`, of `samples` `[B, N]`.

        The phase is the spectrum with magnitudes of 1.
        """
        spectrum = self.transform.spectrum(samples)
        loud = magnitude(spectrum)
        log_mel = torch.log(torch.clamp(loud, min=math.exp(LN_FLOOR)))
        return log_mel, self.given(log_mel), spectrum / loud.unsqueeze(1)


class WaveformHead(nn.Module):
    """Magnitudes and phase as the sound that the network is given.

    Args:
        options: of the excerpt.
        channel: where the network wants its one channel, from 1 on; 0 for none.
    """

    def __init__(self, options: WaveformOptions, channel: int) -> None:
        super().__init__()
        self.transform, self.channel = CentredExcerpt(options), channel

    def forward(self, excerpt: Tensor, phase: Tensor) -> Tensor:
        """The sound of the magnitudes `excerpt` `[B, T, bins]` with `phase` `[B, 2, T, bins]`."""
        sound = self.transform.sound(phase * excerpt.unsqueeze(1))
        return sound.unsqueeze(self.channel) if self.channel else sound


class WaveformListen(nn.Module):
    """A region as sound."""

    def __init__(self, options: WaveformOptions) -> None:
        super().__init__()
        self.transform = CentredExcerpt(options)

    def forward(self, samples: Tensor, mask: Tensor, outside_gain: Tensor) -> Tensor:
        """`audio` `[B, N]`: `samples` `[B, N]` inside `mask` `[B, T, bins]`; times `outside_gain` `[B, 1]` outside."""
        gain = mask + (1 - mask) * outside_gain.unsqueeze(-1)
        return self.transform.sound(self.transform.spectrum(samples) * gain.unsqueeze(1))
