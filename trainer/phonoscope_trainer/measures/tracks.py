"""Whole recordings through a detector in PyTorch, frame by frame."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.frontends.mel import CONTEXT_FRAMES, Frontend
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet

PIECE_FRAMES = 2048  # bounds the memory of one pass


def silence(frontend: Frontend, standardise: Standardise) -> Tensor:
    """`[1, 1, M]` the standardised log-mel of digital silence, which surrounds every recording."""
    floor = torch.full((1, 1, frontend.options.bands), frontend.options.floor)
    silent: Tensor = standardise(torch.log(floor))
    return silent


@torch.inference_mode()
def curve(
    magnitude: NDArray[np.floating], network: SVDNet, frontend: Frontend, standardise: Standardise
) -> NDArray[np.float32]:
    """`[T]` probability of singing at every frame of `magnitude` `[T, bins]`; ends are padded with silence."""
    standardised = standardise(frontend.log_mel(torch.from_numpy(magnitude.astype(np.float32))[None]))
    margin = silence(frontend, standardise).expand(1, CONTEXT_FRAMES, -1)
    padded = torch.cat([margin, standardised, margin], dim=1)
    pieces = [
        network(padded[:, first : first + PIECE_FRAMES + 2 * CONTEXT_FRAMES], every_frame=True)[0]
        for first in range(0, standardised.shape[1], PIECE_FRAMES)
    ]
    return np.asarray(torch.sigmoid(torch.cat(pieces)).numpy())


def labelled_curves(
    tracks: Iterable[Features], network: SVDNet, frontend: Frontend, standardise: Standardise
) -> list[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
    """`(probability, labels)`, both `[T]`, of each track; where it has stems also of its accompaniment alone.

    What a threshold is chosen on: an accompaniment in which nobody sings shows what a mixture cannot.
    """
    pairs = []
    for track in tracks:
        pairs.append((curve(track.magnitudes[0], network, frontend, standardise), track.labels))
        if track.has_stems:
            alone = curve(track.magnitudes[2], network, frontend, standardise)
            pairs.append((alone, np.zeros_like(track.labels)))
    return pairs
