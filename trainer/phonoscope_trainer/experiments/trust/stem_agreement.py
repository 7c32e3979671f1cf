"""Whether a region lies where the voice is, told by true stems.

After the ground-truth evaluation of CLEVR-XAI (Arras, Osman & Samek 2022): relevance mass and relevance rank accuracy;
and the pointing game (Zhang et al. 2018). There the truth is a mask of pixels; here it is the voice's share of a bin's
energy, the ideal ratio mask of source separation, and where a yes or no is asked for whether that share is above one
half, the ideal binary mask (Wang 2005).
"""

from __future__ import annotations

import torch
from torch import Tensor

from phonoscope_trainer.experiments.explanation.controls import first_bins

DOMINATED = 0.5  # a bin is the voice's when it has more energy in it than everything else together


def voice_share(voice: Tensor, accompaniment: Tensor, filterbank: Tensor) -> Tensor:
    """The voice's share of each bin's energy, `[T, M]` in [0, 1]; 0 where there is none.

    Args:
        voice: `[T, bins]` linear magnitudes.
        accompaniment: `[T, bins]` the same of everything else.
        filterbank: `[bins, M]`.
    """
    sung, played = voice.square() @ filterbank, accompaniment.square() @ filterbank
    total = sung + played
    return torch.where(total > 0, sung / torch.where(total > 0, total, 1.0), 0.0)


def relevance_mass(relevance: Tensor, share: Tensor) -> Tensor:
    """`[B]` the part of `relevance` `[B, T, M]` (not negative) that falls to the voice: Σ R·s / Σ R (Arras, Eq. 5).

    For a region it is the mean share of the voice in it; nothing relevant has no part: 0.
    """
    total = relevance.sum(dim=(1, 2))
    return (relevance * share).sum(dim=(1, 2)) / torch.where(total > 0, total, 1.0)


def relevance_rank(ranked: Tensor, share: Tensor) -> Tensor:
    """`[B]` of the K bins that are the voice's, the part among the K most relevant (Arras, Eq. 7).

    Args:
        ranked: `[B, T, M]` ranks from 0, the most relevant bin first.
        share: `[B, T, M]` of the voice; excerpts without a bin of the voice get 0.
    """
    is_voice = share > DOMINATED
    count = is_voice.sum(dim=(1, 2))
    return (first_bins(ranked, count) & is_voice).sum(dim=(1, 2)) / count.clamp(min=1)


def pointing_game(ranked: Tensor, share: Tensor) -> Tensor:
    """`[B]` 1 where the most relevant bin, by ranks `[B, T, M]`, is the voice's, 0 elsewhere."""
    return ((ranked == 0) & (share > DOMINATED)).any(dim=2).any(dim=1).float()
