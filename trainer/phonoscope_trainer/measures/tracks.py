"""Whole recordings through a detector in PyTorch, frame by frame."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit
from torch import Tensor

from phonoscope_trainer.corpora import mixes
from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.frontends.mel import CONTEXT_FRAMES, Frontend
from phonoscope_trainer.measures.families import Heard
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet

PIECE_FRAMES = 2048  # bounds the memory of one pass


def silence(frontend: Frontend, standardise: Standardise) -> Tensor:
    """`[1, 1, M]` the standardised log-mel of digital silence, which surrounds every recording."""
    floor = torch.full((1, 1, frontend.options.bands), frontend.options.floor)
    silent: Tensor = standardise(torch.log(floor))
    return silent


@torch.inference_mode()
def logits(
    magnitude: NDArray[np.floating], network: SVDNet, frontend: Frontend, standardise: Standardise
) -> NDArray[np.float32]:
    """`[T]` logit at every frame of `magnitude` `[T, bins]`; ends are padded with silence."""
    standardised = standardise(frontend.log_mel(torch.from_numpy(magnitude.astype(np.float32))[None]))
    margin = silence(frontend, standardise).expand(1, CONTEXT_FRAMES, -1)
    padded = torch.cat([margin, standardised, margin], dim=1)
    pieces = [
        network(padded[:, first : first + PIECE_FRAMES + 2 * CONTEXT_FRAMES], every_frame=True)[0]
        for first in range(0, standardised.shape[1], PIECE_FRAMES)
    ]
    return np.asarray(torch.cat(pieces).numpy())


def curve(
    magnitude: NDArray[np.floating], network: SVDNet, frontend: Frontend, standardise: Standardise
) -> NDArray[np.float32]:
    """`[T]` probability of singing at every frame of `magnitude` `[T, bins]`; ends are padded with silence."""
    return np.asarray(expit(logits(magnitude, network, frontend, standardise)))


def heard_tracks(
    tracks: Iterable[Features], network: SVDNet, frontend: Frontend, standardise: Standardise, corpus: str = ""
) -> list[Heard]:
    """Each track of a corpus; where it has stems also its accompaniment alone, a family of its own.

    What a threshold is chosen on: an accompaniment in which nobody sings shows what a mixture cannot.
    """
    heard = []
    for track in tracks:
        family = ", ".join(filter(None, (corpus, track.track.kind)))
        parts = [(family, track.magnitudes[0], track.labels)]
        if track.has_stems and track.track.kind != mixes.KIND:  # whose accompaniments are recordings of their own
            parts.append((f"{family}, accompaniments", track.magnitudes[2], np.zeros_like(track.labels)))
        for name, magnitude, labels in parts:
            heard.append(Heard(name, track.track.group, logits(magnitude, network, frontend, standardise), labels))
    return heard
