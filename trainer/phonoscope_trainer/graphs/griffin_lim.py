"""`griffin_lim`: a log-mel as sound, its phase searched for (Griffin & Lim 1984; Mishra et al. 2019, section 4.2).

The mel magnitude is brought to Fourier bins by the pseudo-inverse of the filterbank and clamped at 0. Each iteration
takes the phase of the sound so far, gives it that magnitude, and overlap-adds the inverse transform.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phonoscope_trainer.frontends.mel import EXCERPT_FRAMES, FrontendOptions, mel_filterbank, phases
from phonoscope_trainer.graphs.description import EXCERPT, EXCERPT_SAMPLES, Graph, TensorSpec, maps
from phonoscope_trainer.graphs.transform import WINDOW_FLOOR

ITERATIONS = 100  # the authors'
SILENT_MAGNITUDE = 1e-12  # a bin this quiet has no phase


class GriffinLim(nn.Module):
    """One iteration; every Fourier bin that no band hears stays silent."""

    window: Tensor
    cosines: Tensor
    sines: Tensor
    bins_of_bands: Tensor
    share: Tensor

    def __init__(self, options: FrontendOptions) -> None:
        super().__init__()
        self.frame, self.hop = options.frame_samples, options.hop_samples
        half = self.frame // 2
        phase = phases(half + 1, options.bins, self.frame)
        window = np.hanning(self.frame)
        summed = np.zeros(options.samples_of(EXCERPT_FRAMES))
        for number in range(EXCERPT_FRAMES):
            summed[number * self.hop :][: self.frame] += window**2
        twice = np.full(options.bins, 2.0)  # every bin but the first stands for its mirror image too
        twice[0] = 1
        constants = {
            "window": window,
            "cosines": np.cos(phase),
            "sines": np.sin(phase[1:-1]),
            "bins_of_bands": np.linalg.pinv(mel_filterbank(options)) * twice / self.frame,
            "share": 1 / np.maximum(summed, WINDOW_FLOOR * summed.max()),
        }
        for name, value in constants.items():
            self.register_buffer(name, torch.from_numpy(value).float(), persistent=False)

    def forward(self, log_mel: Tensor, audio: Tensor) -> tuple[Tensor, Tensor]:
        """The sound after one more iteration.

        Args:
            log_mel: `[B, 115, 80]`.
            audio: `[B, N]` the sound so far; noise to begin with.

        Returns:
            `[B, N]` the sound, and true: there may be another iteration.
        """
        magnitude = torch.clamp(torch.exp(log_mel) @ self.bins_of_bands, min=0)
        real, imaginary = self._transform(self._frames(audio) * self.window)
        gain = magnitude / torch.clamp(torch.sqrt(real * real + imaginary * imaginary), min=SILENT_MAGNITUDE)
        frames = self._inverse(real * gain, imaginary * gain) * self.window
        return self._overlapped(frames) * self.share, torch.ones((), dtype=torch.bool)

    def _transform(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Cosine and sine parts `[B, T, bins]` of `[B, T, frame]`; mirrored samples share a cosine: see `Frontend`."""
        half = self.frame // 2
        early, late = frames[..., 1:half], frames[..., half + 1 :].flip(-1)
        even = torch.cat([frames[..., :1], early + late, frames[..., half : half + 1]], dim=-1)
        return even @ self.cosines, (early - late) @ self.sines

    def _inverse(self, real: Tensor, imaginary: Tensor) -> Tensor:
        """`[B, T, frame]` of the parts that `_transform` makes, each weighed already."""
        half = self.frame // 2
        even, odd = real @ self.cosines.T, F.pad(imaginary @ self.sines.T, (1, 1))
        late = (even - odd)[..., 1:half].flip(-1)
        return torch.cat([even + odd, late], dim=-1)

    def _frames(self, audio: Tensor) -> Tensor:
        """`[B, T, frame]`, overlapping, of `[B, N]`, put together from hops."""
        reach = -(-self.frame // self.hop)
        hops = F.pad(audio, (0, (EXCERPT_FRAMES + reach - 1) * self.hop - audio.shape[1])).unflatten(1, (-1, self.hop))
        return torch.cat([hops[:, ahead : ahead + EXCERPT_FRAMES] for ahead in range(reach)], dim=2)[..., : self.frame]

    def _overlapped(self, frames: Tensor) -> Tensor:
        """`[B, N]` the sum of overlapping `[B, T, frame]`."""
        reach = -(-self.frame // self.hop)
        parts = F.pad(frames, (0, reach * self.hop - self.frame)).unflatten(2, (reach, self.hop))
        summed = sum(F.pad(parts[:, :, ahead], (0, 0, ahead, reach - 1 - ahead)) for ahead in range(reach))
        assert isinstance(summed, Tensor)
        return summed.flatten(1)[:, :EXCERPT_SAMPLES]


def griffin_lim_graph(options: FrontendOptions, iterations: int = ITERATIONS) -> Graph:
    """The description of `griffin_lim`: `log_mel` and noise, `audio`, to `next_audio`."""
    return Graph(
        "griffin_lim",
        GriffinLim(options),
        (*maps("log_mel"), TensorSpec("audio", (EXCERPT_SAMPLES,))),
        (TensorSpec("next_audio", (EXCERPT_SAMPLES,)),),
        (torch.zeros(2, *EXCERPT), torch.ones(2, EXCERPT_SAMPLES)),
        maximum_batch=16,
        iterations=iterations,
    )
