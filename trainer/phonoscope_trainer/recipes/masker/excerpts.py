"""What a masker learns from: excerpts, and the same a frame later at a slightly different level."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.frontends.mel import EXCERPT_FRAMES, Frontend
from phonoscope_trainer.recipes.augment import LN_PER_DECIBEL, change_level
from phonoscope_trainer.recipes.detector.excerpts import ExcerptOptions, ExcerptSampler
from phonoscope_trainer.recipes.detector.hidden import UNHIDDEN
from phonoscope_trainer.recipes.detector.lone_voice import UNPRODUCED
from phonoscope_trainer.recipes.detector.variation import UNVARIED
from phonoscope_trainer.recipes.masker.objective import MovedExcerpts
from phonoscope_trainer.recipes.seeds import step_seed

MOST_LEVEL_DB = 3.0  # either way
STEMS_SHARE = 0.5  # of a batch, where there are stems: mixtures as they are, beside their accompaniments
STEMS_LEVEL_DB = 6.0  # standard deviation of their level
PLAIN = ExcerptOptions(remix_share=0, accompanied_share=0, lone_voice=UNPRODUCED, variation=UNVARIED, hidden=UNHIDDEN)


def varied(
    corpora: Sequence[Sequence[Features]], frontend: Frontend, batch: int, seed: int
) -> Callable[[int], MovedExcerpts]:
    """Draws the step-th batch from training music, varied as for the detector: its labels need not be the music's."""
    return _draw(corpora, frontend, replace(ExcerptOptions(hidden=UNHIDDEN), rows=batch, excerpts_per_row=2), seed)


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
    tracks = [track for corpus in corpora for track in corpus if track.has_stems and len(track.labels) > EXCERPT_FRAMES]
    stems = round(STEMS_SHARE * options.rows) if tracks else 0
    sampler = ExcerptSampler(corpora, frontend, replace(options, rows=options.rows - stems), seed)

    def draw(step: int) -> MovedExcerpts:
        log_mel, _ = sampler.batch(step)
        generator = torch.Generator().manual_seed(step_seed(seed, step))
        mixture, accompaniment = _stems(tracks, stems, frontend, np.random.default_rng([seed, step, 1]))
        unknown = torch.full((len(log_mel), *mixture.shape[1:]), torch.nan)
        rows = torch.cat([log_mel[:, : EXCERPT_FRAMES + 1], mixture])
        return beside_itself(rows, torch.cat([unknown, accompaniment]), generator)

    return draw


def _stems(
    tracks: Sequence[Features], count: int, frontend: Frontend, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Mixtures as they are and their accompaniments, both log-mel `[count, 116, M]`, at any level but one for both."""
    frames = EXCERPT_FRAMES + 1
    parts = torch.zeros(2, count, frames, frontend.options.bins)
    for row in range(count):
        magnitudes = tracks[int(rng.integers(len(tracks)))].magnitudes
        first = int(rng.integers(magnitudes.shape[1] - frames + 1))
        parts[:, row] = torch.from_numpy(magnitudes[[0, -1], first : first + frames].astype(np.float32))
    level_db = torch.from_numpy(rng.normal(0, STEMS_LEVEL_DB, count)).float()
    mixture, accompaniment = (frontend.log_mel(change_level(part, level_db)) for part in parts)
    return mixture, accompaniment


def beside_itself(log_mel: Tensor, accompaniment: Tensor, generator: torch.Generator) -> MovedExcerpts:
    """The first excerpt of each row of `log_mel` `[B, T, M]`, T > 115, and the next, louder or quieter than it was."""
    level_db = MOST_LEVEL_DB * (2 * torch.rand(len(log_mel), 1, 1, generator=generator) - 1)
    moved = log_mel[:, 1 : EXCERPT_FRAMES + 1] + level_db * LN_PER_DECIBEL
    return MovedExcerpts(log_mel[:, :EXCERPT_FRAMES], moved, accompaniment[:, :EXCERPT_FRAMES])
