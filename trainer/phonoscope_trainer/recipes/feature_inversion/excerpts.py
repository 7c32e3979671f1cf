"""What feature inverters learn from: excerpts of the training music as it is (ISMIR 2018, section 3.3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from phonoscope_trainer.corpora.excerpts import drawn_places, log_mel_at, place_counts
from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.frontends.mel import EXCERPT_FRAMES, Frontend
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import FRAMES_PER_STEP

HOP_FRAMES = 10  # between the places where excerpts begin
EXCERPTS_PER_PIECE = 12  # one every nine frames: they share their convolutions
PIECE_FRAMES = EXCERPT_FRAMES + (EXCERPTS_PER_PIECE - 1) * FRAMES_PER_STEP
PIECES_AT_ONCE = 16
PIECE_SEED = 2  # what training draws begins with the run's own seed and the step


class PlaceSampler:
    """Draws standardised excerpts; every corpus equally often, and within it every place.

    What is drawn depends on the seeds given alone, so a resumed run sees the batches it would have seen.

    Raises:
        OptionsError: a corpus has no track as long as what is drawn.
    """

    def __init__(
        self,
        corpora: Sequence[Sequence[Features]],
        frontend: Frontend,
        standardise: Standardise,
        frames: int = EXCERPT_FRAMES,
    ) -> None:
        self.frontend, self.standardise, self.frames = frontend, standardise, frames
        self.corpora = corpora
        self.counts = [place_counts(corpus, HOP_FRAMES, frames) for corpus in corpora]
        if not self.counts or not all(counts.any() for counts in self.counts):
            raise OptionsError(f"corpora: every one needs a track of at least {frames} frames")

    def draw(self, count: int, *seeds: int) -> Tensor:
        """`[count, frames, M]` standardised excerpts of mixtures."""
        rng = np.random.default_rng(seeds)
        excerpts = []
        for _ in range(count):
            corpus = int(rng.integers(len(self.corpora)))
            places = drawn_places(self.counts[corpus], 1, rng, HOP_FRAMES)
            excerpts.append(log_mel_at(self.corpora[corpus], places, self.frontend, self.frames))
        standardised: Tensor = self.standardise(torch.cat(excerpts))
        return standardised


def pieces(
    corpora: Sequence[Sequence[Features]], frontend: Frontend, standardise: Standardise, count: int
) -> Iterator[Tensor]:
    """About `count` pieces of music, always the same, in batches `[B, 214, M]`: what a ridge regression is fitted to.

    Tracks that are shorter are left out, and so is a corpus that has no longer one.
    """
    long = [tracks for tracks in corpora if place_counts(tracks, HOP_FRAMES, PIECE_FRAMES).any()]
    sampler = PlaceSampler(long, frontend, standardise, PIECE_FRAMES)
    for batch in range(-(-count // PIECES_AT_ONCE)):
        yield sampler.draw(min(count, PIECES_AT_ONCE), PIECE_SEED, batch)
