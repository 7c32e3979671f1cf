"""What feature inverters learn from: excerpts of the training music as it is (ISMIR 2018, section 3.3)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from phonoscope_trainer.corpora.excerpts import drawn_places, log_mel_at, place_counts
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
        self.corpora = corpora
        self.counts = [place_counts(corpus, HOP_FRAMES) for corpus in corpora]
        if not self.counts or not all(counts.any() for counts in self.counts):
            raise OptionsError(f"corpora: every one needs a track of at least {EXCERPT_FRAMES} frames")

    def draw(self, count: int, *seeds: int) -> Tensor:
        """`[count, 115, M]` standardised excerpts of mixtures."""
        rng = np.random.default_rng(seeds)
        excerpts = []
        for _ in range(count):
            corpus = int(rng.integers(len(self.corpora)))
            places = drawn_places(self.counts[corpus], 1, rng, HOP_FRAMES)
            excerpts.append(log_mel_at(self.corpora[corpus], places, self.frontend))
        standardised: Tensor = self.standardise(torch.cat(excerpts))
        return standardised
