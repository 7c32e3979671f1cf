"""`tagger_frontend`: a clip's complex spectrum, and the magnitude that the tagger is given of it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from phonoscope_trainer.frontends.linear import LinearStft
from phonoscope_trainer.frontends.mel import FRONTEND
from phonoscope_trainer.graphs.description import Graph, TensorSpec


class TaggerFrontendGraph(nn.Module):
    """The training front-end, with its spectrum for the way back to sound."""

    def __init__(self, frontend: LinearStft) -> None:
        super().__init__()
        self.frontend = frontend

    def forward(self, samples: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """`spectrum` `[B, 2, T, bins]`, `magnitude` and its logarithm `[B, T, bins]` of `samples` `[B, N]`."""
        spectrum = self.frontend.spectrum(samples)
        magnitude = self.frontend.magnitude(spectrum)
        return spectrum, magnitude, torch.log(torch.clamp(magnitude, min=FRONTEND.floor))


def tagger_frontend_graph(frontend: LinearStft) -> Graph:
    """The description of `tagger_frontend`; its parameters tell serving what a clip is."""
    options = frontend.options
    shape = (options.clip_frames, options.bins)
    return Graph(
        "tagger_frontend",
        TaggerFrontendGraph(frontend),
        (TensorSpec("samples", (options.clip_samples,)),),
        (TensorSpec("spectrum", (2, *shape)), TensorSpec("magnitude", shape), TensorSpec("log_mel", shape)),
        (torch.zeros(2, options.clip_samples),),
        parameters={
            "sample_rate_hz": str(options.sample_rate_hz),
            "frame_samples": str(options.frame_samples),
            "hop_samples": str(options.hop_samples),
            "excerpt_frames": str(options.clip_frames),
            "excerpt_samples": str(options.clip_samples),
            "band_centre_hz": ",".join(f"{options.bin_hz * each:.3f}" for each in range(options.bins)),
        },
    )
