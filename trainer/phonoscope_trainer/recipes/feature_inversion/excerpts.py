"""What feature inverters learn from: excerpts of the training music as it is (ISMIR 2018, section 3.3)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.frontends.mel import EXCERPT_FRAMES, Frontend
from phonoscope_trainer.networks.standardise import Standardise

HOP_FRAMES = 10  # between the places where excerpts begin


class PlaceSampler:
    """Draws standardised excerpts; every corpus equally often, and within it every place.

    What is drawn depends on the seeds given alone, so a resumed run sees the batches it would have seen.
    """

    def __init__(self, corpora: Sequence[Sequence[Features]], frontend: Frontend, standardise: Standardise) -> None:
        self.frontend, self.standardise = frontend, standardise
        self.corpora = [[track for track in corpus if len(track.labels) >= EXCERPT_FRAMES] for corpus in corpora]
        if not self.corpora or not all(self.corpora):
            raise OptionsError(f"corpora: every one needs a track of at least {EXCERPT_FRAMES} frames")
        self.places = [
            np.array([1 + (len(track.labels) - EXCERPT_FRAMES) // HOP_FRAMES for track in corpus])
            for corpus in self.corpora
        ]

    def draw(self, count: int, *seeds: int) -> Tensor:
        """`[count, 115, M]` standardised excerpts of mixtures."""
        rng = np.random.default_rng(seeds)
        magnitudes = []
        for _ in range(count):
            corpus = int(rng.integers(len(self.corpora)))
            places = self.places[corpus]
            track = int(rng.choice(len(places), p=places / places.sum()))
            first = HOP_FRAMES * int(rng.integers(places[track]))
            magnitudes.append(self.corpora[corpus][track].magnitudes[0, first : first + EXCERPT_FRAMES])
        magnitude = torch.from_numpy(np.stack(magnitudes).astype(np.float32))
        standardised: Tensor = self.standardise(self.frontend.log_mel(magnitude))
        return standardised
