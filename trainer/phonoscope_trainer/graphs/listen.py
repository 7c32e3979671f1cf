"""`listen`: the region of an explanation as sound, with the recording's own phase.

The mask is brought from bands to Fourier bins by the filterbank's own triangles, the excerpt's transform is
multiplied by it, and the inverse transform is overlap-added. The authors invert a masked magnitude and keep
everything above the top band; here a bin the detector cannot hear lies outside every region.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from phonoscope_trainer.frontends.mel import FrontendOptions, triangles
from phonoscope_trainer.graphs.description import EXCERPT, EXCERPT_SAMPLES, Graph, TensorSpec, maps, numbers
from phonoscope_trainer.graphs.transform import excerpt_transform


class ListenGraph(nn.Module):
    """Masked overlap-add resynthesis of one excerpt."""

    spread: Tensor

    def __init__(self, options: FrontendOptions) -> None:
        super().__init__()
        self.transform = excerpt_transform(options)
        spread = torch.from_numpy(bin_weights_of_bands(options, self.transform.bins)).float()
        self.register_buffer("spread", spread, persistent=False)

    def forward(self, samples: Tensor, mask: Tensor, outside_gain: Tensor) -> Tensor:
        """`audio` `[B, N]`: `samples` `[B, N]` inside `mask` `[B, 115, 80]`; times `outside_gain` `[B, 1]` outside."""
        inside = mask @ self.spread
        gain = inside + (1 - inside) * outside_gain.unsqueeze(-1)
        return self.transform.sound(self.transform.spectrum(samples) * gain.unsqueeze(1))


def bin_weights_of_bands(options: FrontendOptions, bins: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """`[bands, bins]` each bin as a mean of the bands that hear it; all zero for a bin no band hears."""
    weights = triangles(options, bins).T
    total = weights.sum(axis=0)
    return weights / np.where(total > 0, total, 1)


def listen_graph(options: FrontendOptions) -> Graph:
    """The description of `listen`."""
    return Graph(
        "listen",
        ListenGraph(options),
        (TensorSpec("samples", (EXCERPT_SAMPLES,)), *maps("mask"), *numbers("outside_gain")),
        (TensorSpec("audio", (EXCERPT_SAMPLES,)),),
        (torch.zeros(2, EXCERPT_SAMPLES), torch.zeros(2, *EXCERPT), torch.ones(2, 1)),
    )
