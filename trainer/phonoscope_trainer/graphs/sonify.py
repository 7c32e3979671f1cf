"""`sonify`: what an inversion sounds like, with the recording's own phase (EUSIPCO 2018, section III.D).

The inversion is made a mel magnitude again and brought to Fourier bins by the pseudo-inverse of the filterbank; the
recording's transform gives each bin its phase, and the inverse transform is overlap-added. The authors keep the
recording above the top band; here there is silence, because no layer keeps what the detector never heard.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from phonoscope_trainer.frontends.mel import FrontendOptions, mel_filterbank
from phonoscope_trainer.graphs.description import EXCERPT, EXCERPT_SAMPLES, Graph, TensorSpec, maps
from phonoscope_trainer.graphs.transform import excerpt_transform, magnitude
from phonoscope_trainer.networks.standardise import Standardise


class SonifyGraph(nn.Module):
    """Overlap-add resynthesis of one inversion."""

    bins_of_bands: Tensor

    def __init__(self, options: FrontendOptions, standardise: Standardise) -> None:
        super().__init__()
        self.standardise, self.transform = standardise, excerpt_transform(options)
        self.register_buffer("bins_of_bands", torch.from_numpy(bins_of_bands(options)).float(), persistent=False)

    def forward(self, samples: Tensor, standardised: Tensor) -> Tensor:
        """`audio` `[B, N]` of the inversion `standardised` `[B, 115, 80]` of the excerpt `samples` `[B, N]`."""
        log_mel = standardised * self.standardise.std + self.standardise.mean
        wanted = torch.clamp(torch.exp(log_mel) @ self.bins_of_bands, min=0)
        recorded = self.transform.spectrum(samples)
        return self.transform.sound(recorded * (wanted / magnitude(recorded)).unsqueeze(1))


def bins_of_bands(options: FrontendOptions) -> NDArray[np.float64]:
    """`[bands, bins]` the pseudo-inverse of the filterbank, 0 for the bins above its top band."""
    unheard = options.frame_samples // 2 + 1 - options.bins
    return np.pad(np.linalg.pinv(mel_filterbank(options)), ((0, 0), (0, unheard)))


def sonify_graph(options: FrontendOptions, standardise: Standardise) -> Graph:
    """The description of `sonify`."""
    return Graph(
        "sonify",
        SonifyGraph(options, standardise),
        (TensorSpec("samples", (EXCERPT_SAMPLES,)), *maps("standardised")),
        (TensorSpec("audio", (EXCERPT_SAMPLES,)),),
        (torch.zeros(2, EXCERPT_SAMPLES), torch.zeros(2, *EXCERPT)),
    )
