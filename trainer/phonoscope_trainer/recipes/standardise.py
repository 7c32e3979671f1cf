"""Per-band mean and standard deviation over all training frames (ddof = 1, no epsilon: as the released detector)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.frontend import Frontend


def band_statistics(features: Iterable[Features], frontend: Frontend) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation `[M]` of log-mel over every frame of every mixture; float32."""
    count, total, squares = 0, np.zeros(frontend.options.bands), np.zeros(frontend.options.bands)
    for track in features:
        magnitude = torch.from_numpy(track.magnitudes[0].astype(np.float32))
        log_mel = frontend.log_mel(magnitude).numpy().astype(np.float64)
        count += len(log_mel)
        total += log_mel.sum(axis=0)
        squares += np.square(log_mel).sum(axis=0)
    mean = total / count
    variance = (squares - count * mean**2) / (count - 1)
    return torch.from_numpy(mean).float(), torch.from_numpy(np.sqrt(variance)).float()


class Standardise(nn.Module):
    """(log-mel − mean) / standard deviation, per band."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)

    def forward(self, log_mel: Tensor) -> Tensor:
        """Standardised `[B, T, M]` of `log_mel` `[B, T, M]`."""
        return (log_mel - self.mean) / self.std
