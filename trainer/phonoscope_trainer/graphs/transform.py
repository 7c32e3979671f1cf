"""The short-time Fourier transform and its inverse inside graphs that make sound."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phonoscope_trainer.frontends.mel import EXCERPT_FRAMES, FrontendOptions, windowed_basis

WINDOW_FLOOR = 1e-3  # of the largest summed window: below it, at a sound's ends, samples fade instead of exploding
SILENT_MAGNITUDE = 1e-7  # a bin this quiet has no phase to lend


class Transform(nn.Module):
    """A short-time Fourier transform and its inverse by overlap-add, of `frames` frames; nothing is padded.

    Args:
        window: `[frame_samples]`, applied both ways.
        hop_samples: from one frame to the next.
        frames: of the sound.
    """

    window: Tensor
    window_sum: Tensor
    bin_weight: Tensor

    def __init__(self, window: np.ndarray[tuple[int], np.dtype[np.float64]], hop_samples: int, frames: int) -> None:
        super().__init__()
        self.frame_samples, self.hop_samples = len(window), hop_samples
        self.bins = len(window) // 2 + 1
        twice = np.full(self.bins, 2.0)  # every bin but the first and last stands for its mirror image too
        twice[[0, -1]] = 1
        summed = np.zeros(len(window) + (frames - 1) * hop_samples)
        for frame in range(frames):
            summed[frame * hop_samples :][: len(window)] += window**2
        constants = {
            "window": window,
            "window_sum": np.maximum(summed, WINDOW_FLOOR * summed.max()),
            "bin_weight": twice / len(window),
        }
        for name, value in constants.items():
            self.register_buffer(name, torch.from_numpy(value).float(), persistent=False)

    def spectrum(self, samples: Tensor) -> Tensor:
        """Real and imaginary parts `[B, 2, T, bins]` of `samples` `[B, N]`."""
        both = F.conv1d(samples.unsqueeze(1), windowed_basis(self.window), stride=self.hop_samples)
        spectrum: Tensor = both.unflatten(1, (2, self.bins)).transpose(2, 3)
        return spectrum

    def sound(self, spectrum: Tensor) -> Tensor:
        """Samples `[B, N]` of `spectrum` `[B, 2, T, bins]`."""
        both = (spectrum * self.bin_weight).transpose(2, 3).flatten(1, 2)
        return F.conv_transpose1d(both, windowed_basis(self.window), stride=self.hop_samples)[:, 0] / self.window_sum


def excerpt_transform(options: FrontendOptions) -> Transform:
    """That of one excerpt, in the front-end's frames."""
    return Transform(np.hanning(options.frame_samples), options.hop_samples, EXCERPT_FRAMES)


def magnitude(spectrum: Tensor) -> Tensor:
    """`[B, T, bins]` of `spectrum` `[B, 2, T, bins]`; never 0, so that it may divide."""
    real, imaginary = spectrum.unbind(1)
    return torch.clamp(torch.sqrt(real * real + imaginary * imaginary), min=SILENT_MAGNITUDE)
