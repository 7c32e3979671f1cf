"""Regions that are sought for each excerpt by itself, with the network at hand: what rules are held against.

A rule looks once, or as often as it may while somebody waits. Here the region of every excerpt is learnt, by gradient
ascent on what it carries into other music (as Fong & Vedaldi 2017 seek perturbations), as large as the region that it
stands beside. Hosts are drawn anew at every step, and those that judge are others, so that it learns of no host in
particular. It is no ceiling, for it learns a coarse grid in few steps; a rule that carries as much is worth as much.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from phonoscope_trainer.graphs.exchange import at_level_of, exchanged
from phonoscope_trainer.networks.listener import Listener
from phonoscope_trainer.ranges import at_least
from phonoscope_trainer.recipes.label_masker.excerpts import Matches, Matchmaker, margins_of
from phonoscope_trainer.recipes.masker.cutting import cut, least_inside
from phonoscope_trainer.recipes.masker.objective import missed


@dataclass(frozen=True, slots=True)
class SoughtOptions:
    """How regions are sought."""

    steps: int = 40
    learning_rate: float = 0.2  # of logits
    cell: int = 8  # frames, and bands, of what is learnt: between them it is linear
    seed: int = 3

    def __post_init__(self) -> None:
        at_least(1, self, "steps", "cell")


def sought(
    listener: Listener, maker: Matchmaker, matches: Matches, area: NDArray[np.float64], options: SoughtOptions
) -> Tensor:
    """Scores `[N, T, M]` whose first bins are the regions.

    Args:
        listener: can be differentiated.
        maker: knows the hosts.
        matches: excerpts and labels, N of them; their own hosts are left for judging.
        area: `[N]` of each region.
        options: how long.
    """
    rng, standardise = np.random.default_rng(options.seed), listener.standardise
    excerpt, size = maker.listened.log_mel[matches.row], listener.picture
    label, areas = torch.from_numpy(matches.label).long()[:, None], torch.from_numpy(area).float()
    cells = (len(excerpt), 1, *(-(-each // options.cell) for each in size))
    grid = (0.01 * torch.from_numpy(rng.standard_normal(cells)).float()).requires_grad_()
    optimiser = torch.optim.Adam([grid], options.learning_rate)
    for _ in range(options.steps):
        asked = zip(matches.label, matches.row, strict=True)
        rows = np.array([maker.other(int(label_of), int(row), rng) for label_of, row in asked])
        host = at_level_of(excerpt, maker.listened.log_mel[rows])
        logits = _spread(grid, size)
        region = cut(logits - least_inside(logits, areas)[:, None, None])
        said = listener.network(standardise(exchanged(excerpt, region, host))).float()
        margin = margins_of(said, listener.threshold_logits, listener.decision).gather(1, label)[:, 0]
        optimiser.zero_grad()
        missed(margin).sum().backward()
        optimiser.step()
    return _spread(grid, size).detach()


def _spread(grid: Tensor, size: tuple[int, int]) -> Tensor:
    """A grid `[N, 1, T′, M′]` at the picture's resolution, `[N, T, M]`."""
    return F.interpolate(grid, size=size, mode="bilinear", align_corners=False)[:, 0]
