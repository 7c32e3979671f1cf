"""Per-band mean and standard deviation over all training frames (ddof = 1, no epsilon: as the released detector)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.frontends.mel import Frontend


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
