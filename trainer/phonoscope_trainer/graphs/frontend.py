"""`frontend`: samples to log-mel, raw and standardised."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from phonoscope_trainer.frontends.mel import EXCERPT_FRAMES, Frontend, band_peaks_hz
from phonoscope_trainer.graphs.description import EXCERPT_SAMPLES, Graph, TensorSpec
from phonoscope_trainer.networks.standardise import Standardise


class FrontendGraph(nn.Module):
    """The training front-end and the detector's standardisation."""

    def __init__(self, frontend: Frontend, standardise: Standardise) -> None:
        super().__init__()
        self.frontend, self.standardise = frontend, standardise

    def forward(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """`log_mel` and `standardised`, both `[B, T, M]`, of `samples` `[B, N]`."""
        log_mel = self.frontend(samples)
        return log_mel, self.standardise(log_mel)


def frontend_graph(frontend: Frontend, standardise: Standardise) -> Graph:
    """The description of `frontend`; its parameters tell serving what a frame is."""
    options = frontend.options
    return Graph(
        "frontend",
        FrontendGraph(frontend, standardise),
        (TensorSpec("samples", (-1,)),),
        (TensorSpec("log_mel", (-1, options.bands)), TensorSpec("standardised", (-1, options.bands))),
        (torch.zeros(2, EXCERPT_SAMPLES),),
        parameters={
            "sample_rate_hz": str(options.sample_rate_hz),
            "frame_samples": str(options.frame_samples),
            "hop_samples": str(options.hop_samples),
            "excerpt_frames": str(EXCERPT_FRAMES),
            "excerpt_samples": str(EXCERPT_SAMPLES),
            "band_centre_hz": ",".join(f"{hz:.3f}" for hz in band_peaks_hz(options)[1:-1]),
        },
    )
