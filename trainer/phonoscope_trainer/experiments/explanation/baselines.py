"""What a rule has to beat: regions that know loudness, or the answer alone, and nothing of what the detector does.

Like a control, a baseline orders an excerpt's bins; its region of k bins is the first k.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from phonoscope_trainer.frontends.mel import FRONTEND, band_peaks_hz
from phonoscope_trainer.graphs.description import EXCERPT
from phonoscope_trainer.networks.standardise import Standardise

VOICE_BAND_HZ = (200.0, 5000.0)  # where most of what tells a voice lies


def energy(log_mel: Tensor) -> Tensor:
    """The loudest bins."""
    return log_mel


def loudest_voice_band(log_mel: Tensor) -> Tensor:
    """The loudest bins between 200 and 5000 Hz, then the others."""
    peaks_hz = torch.from_numpy(band_peaks_hz(FRONTEND)[1:-1])
    is_outside = (peaks_hz < VOICE_BAND_HZ[0]) | (peaks_hz > VOICE_BAND_HZ[1])
    beyond = log_mel.max() - log_mel.min() + 1
    return log_mel - beyond * is_outside


@dataclass(frozen=True, slots=True)
class Baselines:
    """Every baseline; what the answer alone tells was learnt on music that is not judged."""

    standardise: Standardise
    usual: Tensor  # [2, T, M] the mean region of answers that are not `vocal`, and of those that are

    def scores(self, log_mel: Tensor, is_vocal: Tensor) -> dict[str, Tensor]:
        """Baseline → `[B, T, M]` of raw excerpts `[B, T, M]` and their answers `[B]`; the highest bins join first."""
        return {
            "energy": energy(log_mel),
            "loudest_standardised": self.standardise(log_mel),
            "loudest_voice_band": loudest_voice_band(log_mel),
            "constant": self.usual[is_vocal.long()],
        }


def usual_regions(
    excerpts: Iterable[Tensor], answer: Callable[[Tensor], Tensor], regions: Callable[[Tensor], Tensor]
) -> Tensor:
    """`[2, T, M]` the mean region of answers that are not `vocal`, and of those that are; 0 where there are none.

    Args:
        excerpts: raw excerpts `[B, T, M]`, batch by batch.
        answer: whether each is called vocal, `[B]`.
        regions: of raw excerpts, `[B, T, M]`, 1 inside.
    """
    total, count = torch.zeros(2, *EXCERPT), torch.zeros(2)
    for log_mel in excerpts:
        is_vocal = answer(log_mel).long()
        total.index_add_(0, is_vocal, regions(log_mel).float())
        count += torch.bincount(is_vocal, minlength=2)
    return total / count.clamp(min=1)[:, None, None]
