"""Regions of linear spectra as sound: the transform of the tagger and its inverse, and `listen` for its pictures."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phonoscope_trainer.frontends.linear import LinearStftOptions
from phonoscope_trainer.graphs.description import Graph, numbers
from phonoscope_trainer.graphs.listener import Listener
from phonoscope_trainer.graphs.transform import Transform


class CentredTransform(nn.Module):
    """The transform of one clip whose frames are centred, and its inverse."""

    def __init__(self, options: LinearStftOptions) -> None:
        super().__init__()
        self.edge_samples, self.samples = options.frame_samples // 2, options.clip_samples
        window = np.hanning(options.frame_samples + 1)[:-1]  # periodic
        self.transform = Transform(window, options.hop_samples, options.clip_frames)

    def spectrum(self, samples: Tensor) -> Tensor:
        """Real and imaginary parts `[B, 2, T, bins]` of `samples` `[B, N]`."""
        return self.transform.spectrum(F.pad(samples, (self.edge_samples, self.edge_samples)))

    def sound(self, spectrum: Tensor) -> Tensor:
        """Samples `[B, N]` of `spectrum` `[B, 2, T, bins]`."""
        audio = self.transform.sound(spectrum)[:, self.edge_samples : self.edge_samples + self.samples]
        return F.pad(audio, (0, self.samples - audio.shape[1]))


class LinearListen(nn.Module):
    """Masked overlap-add resynthesis of one clip."""

    def __init__(self, options: LinearStftOptions) -> None:
        super().__init__()
        self.transform = CentredTransform(options)

    def forward(self, samples: Tensor, mask: Tensor, outside_gain: Tensor) -> Tensor:
        """`audio` `[B, N]`: `samples` `[B, N]` inside `mask` `[B, T, bins]`; times `outside_gain` `[B, 1]` outside."""
        gain = mask + (1 - mask) * outside_gain.unsqueeze(-1)
        return self.transform.sound(self.transform.spectrum(samples) * gain.unsqueeze(1))


def linear_listen_graph(options: LinearStftOptions, listener: Listener) -> Graph:
    """The description of `listen`."""
    return Graph(
        listener.model("listen"),
        LinearListen(options),
        (listener.sound("samples"), *listener.maps("mask"), *numbers("outside_gain")),
        (listener.sound("audio"),),
        (torch.zeros(2, listener.samples), torch.zeros(2, *listener.picture), torch.ones(2, 1)),
    )
