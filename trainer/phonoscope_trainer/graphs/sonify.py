"""`sonify`: what an inversion sounds like, with the recording's own phase (EUSIPCO 2018, section III.D).

The inversion is made a mel magnitude again and brought to Fourier bins by the pseudo-inverse of the filterbank; the
recording's transform gives each bin its phase, and the inverse transform is overlap-added. The authors keep the
recording above the top band; here there is silence, because no layer keeps what the detector never heard.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phonoscope_trainer.frontend import FrontendOptions, mel_filterbank
from phonoscope_trainer.graphs.description import EXCERPT, EXCERPT_SAMPLES, Graph, TensorSpec, maps
from phonoscope_trainer.graphs.listen import ListenGraph
from phonoscope_trainer.networks.standardise import Standardise

SILENT_MAGNITUDE = 1e-7  # a bin this quiet has no phase to lend


class SonifyGraph(nn.Module):
    """Overlap-add resynthesis of one inversion."""

    bins_of_bands: Tensor

    def __init__(self, options: FrontendOptions, standardise: Standardise) -> None:
        super().__init__()
        self.standardise, self.transform = standardise, ListenGraph(options)
        inverse = np.linalg.pinv(mel_filterbank(options))
        unheard = options.frame_samples // 2 + 1 - options.bins
        weights = torch.from_numpy(np.pad(inverse, ((0, 0), (0, unheard)))).float()
        self.register_buffer("bins_of_bands", weights, persistent=False)

    def forward(self, samples: Tensor, standardised: Tensor) -> Tensor:
        """`audio` `[B, N]` of the inversion `standardised` `[B, 115, 80]` of the excerpt `samples` `[B, N]`."""
        transform = self.transform
        log_mel = standardised * self.standardise.std + self.standardise.mean
        magnitude = torch.clamp(torch.exp(log_mel) @ self.bins_of_bands, min=0).transpose(1, 2)
        parts = F.conv1d(samples.unsqueeze(1), transform.basis, stride=transform.hop)
        real, imaginary = parts.chunk(2, dim=1)
        recorded = torch.clamp(torch.sqrt(real * real + imaginary * imaginary), min=SILENT_MAGNITUDE)
        gain = magnitude / recorded
        frames = torch.cat([real * gain, imaginary * gain], dim=1) * transform.bin_weight
        return F.conv_transpose1d(frames, transform.basis, stride=transform.hop)[:, 0] / transform.window_sum


def sonify_graph(options: FrontendOptions, standardise: Standardise) -> Graph:
    """The description of `sonify`."""
    return Graph(
        "sonify",
        SonifyGraph(options, standardise),
        (TensorSpec("samples", (EXCERPT_SAMPLES,)), *maps("standardised")),
        (TensorSpec("audio", (EXCERPT_SAMPLES,)),),
        (torch.zeros(2, EXCERPT_SAMPLES), torch.zeros(2, *EXCERPT)),
    )
