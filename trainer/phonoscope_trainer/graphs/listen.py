"""`listen`: the region of an explanation as sound, with the recording's own phase.

The mask is brought from bands to Fourier bins by the filterbank's own triangles, the excerpt's transform is
multiplied by it, and the inverse transform is overlap-added. The authors invert a masked magnitude and keep
everything above the top band; here a bin the detector cannot hear lies outside every region.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phonoscope_trainer.frontend import EXCERPT_FRAMES, FrontendOptions, fourier_basis, triangles
from phonoscope_trainer.graphs.description import EXCERPT, EXCERPT_SAMPLES, Graph, TensorSpec, maps, numbers

WINDOW_FLOOR = 1e-3  # of the largest summed window: below it, at the excerpt's ends, samples fade instead of exploding


class ListenGraph(nn.Module):
    """Masked overlap-add resynthesis of one excerpt."""

    basis: Tensor
    bin_weight: Tensor
    spread: Tensor
    window_sum: Tensor

    def __init__(self, options: FrontendOptions) -> None:
        super().__init__()
        self.hop = options.hop_samples
        bins = options.frame_samples // 2 + 1
        basis = fourier_basis(options.frame_samples, bins).reshape(2 * bins, 1, options.frame_samples)
        twice = np.full(bins, 2.0)  # every bin but the first and last stands for its mirror image too
        twice[[0, -1]] = 1
        window = np.hanning(options.frame_samples) ** 2
        summed = np.zeros(options.samples_of(EXCERPT_FRAMES))
        for frame in range(EXCERPT_FRAMES):
            summed[frame * self.hop :][: len(window)] += window
        constants = {
            "basis": basis,
            "bin_weight": np.tile(twice / options.frame_samples, 2)[:, None],
            "spread": bin_weights_of_bands(options, bins),
            "window_sum": np.maximum(summed, WINDOW_FLOOR * summed.max()),
        }
        for name, value in constants.items():
            self.register_buffer(name, torch.from_numpy(value).float(), persistent=False)

    def forward(self, samples: Tensor, mask: Tensor, outside_gain: Tensor) -> Tensor:
        """`audio` `[B, N]`: `samples` `[B, N]` inside `mask` `[B, 115, 80]`; times `outside_gain` `[B, 1]` outside."""
        inside = (mask @ self.spread).transpose(1, 2)
        gain = inside + (1 - inside) * outside_gain.unsqueeze(-1)
        parts = F.conv1d(samples.unsqueeze(1), self.basis, stride=self.hop)
        masked = parts * torch.cat([gain, gain], dim=1) * self.bin_weight
        frames = F.conv_transpose1d(masked, self.basis, stride=self.hop)
        return frames[:, 0] / self.window_sum


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
