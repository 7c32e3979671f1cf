"""What a masker learns from: excerpts, and the same a frame later at a slightly different level."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.frontends.mel import EXCERPT_FRAMES, Frontend
from phonoscope_trainer.recipes.augment import LN_PER_DECIBEL
from phonoscope_trainer.recipes.detector.excerpts import ExcerptOptions, ExcerptSampler
from phonoscope_trainer.recipes.detector.lone_voice import UNPRODUCED
from phonoscope_trainer.recipes.detector.variation import UNVARIED
from phonoscope_trainer.recipes.masker.objective import MovedExcerpts
from phonoscope_trainer.recipes.seeds import step_seed

MOST_LEVEL_DB = 3.0  # either way
PLAIN = ExcerptOptions(remix_share=0, accompanied_share=0, lone_voice=UNPRODUCED, variation=UNVARIED)


def varied(
    corpora: Sequence[Sequence[Features]], frontend: Frontend, batch: int, seed: int
) -> Callable[[int], MovedExcerpts]:
    """Draws the step-th batch from training music, varied as for the detector: its labels need not be the music's."""
    return _draw(corpora, frontend, replace(ExcerptOptions(), rows=batch, excerpts_per_row=2), seed)


def plain(
    corpora: Sequence[Sequence[Features]],
    frontend: Frontend,
    batch: int,
    count: int,
    seed: int,
) -> list[MovedExcerpts]:
    """At least `count` excerpts of mixtures as they are, in batches: for validation."""
    draw = _draw(corpora, frontend, replace(PLAIN, rows=batch, excerpts_per_row=2), seed)
    return [draw(step) for step in range(-(-count // batch))]


def _draw(
    corpora: Sequence[Sequence[Features]],
    frontend: Frontend,
    options: ExcerptOptions,
    seed: int,
) -> Callable[[int], MovedExcerpts]:
    sampler = ExcerptSampler(corpora, frontend, options, seed)

    def draw(step: int) -> MovedExcerpts:
        log_mel, _ = sampler.batch(step)
        generator = torch.Generator().manual_seed(step_seed(seed, step))
        return beside_itself(log_mel, generator)

    return draw


def beside_itself(log_mel: Tensor, generator: torch.Generator) -> MovedExcerpts:
    """The first excerpt of each row of `log_mel` `[B, T, M]`, T > 115, and the next, louder or quieter than it was."""
    level_db = MOST_LEVEL_DB * (2 * torch.rand(len(log_mel), 1, 1, generator=generator) - 1)
    moved = log_mel[:, 1 : EXCERPT_FRAMES + 1] + level_db * LN_PER_DECIBEL
    return MovedExcerpts(log_mel[:, :EXCERPT_FRAMES], moved)
