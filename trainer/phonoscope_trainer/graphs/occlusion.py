"""`occlusion`: relevance from forward passes alone, of a network that nobody can open.

Smooth random masks lay other music, or a band's mean, over an excerpt, and a bin is relevant as far as the answer goes
with it (RISE, Petsiuk, Das & Saenko 2018; there masks are grids, and what is masked is black):

    relevance = ½ + ½ · c / max |c|,   c = Σ (s(m) − s(1 − m)) · (m − ½)

s is the log-odds of the label asked about, with what `m` keeps. Every mask is tried with its complement, over the same
filling: what does not depend on which half is kept falls out of the difference, and every bin is kept as often as not.

The network is whatever ONNX graph answers `excerpt` with `log_odds`; a Loop repeats it, a few masks at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor, nn

from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.graphs.asked_label import AskedLabel
from phonoscope_trainer.graphs.gradient import SMALLEST
from phonoscope_trainer.ranges import at_least

FIELD = 512  # bins either way of the field that masks are cut out of; it goes on at the opposite side


@dataclass(frozen=True, slots=True)
class OcclusionOptions:
    """What is tried."""

    masks: int = 512  # forward passes of an excerpt; half of them are the other half's complements
    at_once: int = 16  # of them in one batch of the network, for each excerpt
    blobs: float = 14.0  # an excerpt's frames, and its bands, over a mask's standard deviation of smoothing
    edge: float = 0.1  # share of bins on the way from kept to not
    seed: int = 2018

    def __post_init__(self) -> None:
        at_least(2, self, "masks", "at_once")
        if self.masks % self.at_once or self.at_once % 2:
            raise OptionsError(f"masks {self.masks} must be a multiple of at_once {self.at_once}, and both even")
        if not 0 < self.edge <= 1:
            raise OptionsError(f"edge must be above 0 and at most 1, got {self.edge:g}")


OCCLUSION = OcclusionOptions()


class Occluded(nn.Module):
    """Some masks' pictures: the first half of an iteration.

    Args:
        picture: frames and bins of an excerpt.
        fillings: `[H, T, F]` what takes the place of what is masked, one after the other; `[1, 1, F]` for the bands'
            means.
        options: of the masks.
    """

    field: Tensor
    places: Tensor
    fillings: Tensor

    def __init__(self, picture: tuple[int, int], fillings: Tensor, options: OcclusionOptions) -> None:
        super().__init__()
        self.picture, self.pairs = picture, options.at_once // 2
        places, chosen = drawn_masks(options, len(fillings))
        for name, value in {
            "field": smooth_field(picture, options),
            "places": torch.from_numpy(places),
            "chosen": torch.from_numpy(chosen),
            "fillings": fillings.float(),
        }.items():
            self.register_buffer(name, value, persistent=False)

    def masks(self, iteration: Tensor) -> tuple[Tensor, Tensor]:
        """`[P, T, F]` masks of an iteration, int64 `[1]`, without their complements; `[P]` which filling is theirs."""
        number = iteration * self.pairs + torch.arange(self.pairs)
        first = self.places[number]
        frames, bins = (torch.arange(size) for size in self.picture)
        rows = (first[:, 0, None] + frames) % FIELD
        columns = (first[:, 1, None] + bins) % FIELD
        return self.field[rows[:, :, None], columns[:, None, :]], self.chosen[number]

    def forward(
        self, excerpt: Tensor, iteration: Tensor, beside: Tensor | None = None
    ) -> Tensor | tuple[Tensor, Tensor]:
        """`occluded` `[B · 2P, T, F]`: every row of `excerpt` `[B, T, F]` under every mask, then its complement.

        What is `beside` it, `[B, …]`, is repeated for each, `[B · 2P, …]`.
        """
        kept, chosen = self.masks(iteration)
        both = torch.stack([kept, 1 - kept], dim=1)
        filling = self.fillings[chosen].unsqueeze(1)
        seen = filling + both * (excerpt[:, None, None] - filling)
        if beside is None:
            return seen.flatten(0, 2)
        return seen.flatten(0, 2), beside.repeat_interleave(2 * self.pairs, dim=0)


class Tally(nn.Module):
    """What the answers to them say: the second half."""

    def __init__(self, occluded: Occluded, answers: int) -> None:
        super().__init__()
        self.occluded, self.asked = occluded, AskedLabel(answers)

    def forward(
        self, log_odds: Tensor, label: Tensor, contrast: Tensor, iteration: Tensor, total: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The next `iteration` and `total` `[B, T, F]`, and that there is to be one.

        Args:
            log_odds: `[B · 2P, K]` the network's answers.
            label: int32 `[B, 1]`, and so on as in `AskedLabel`.
            contrast: int32 `[B, 1]`.
            iteration: int64 `[1]`.
            total: `[B, T, F]`.
        """
        kept, _ = self.occluded.masks(iteration)
        weights = self.asked(label, contrast)
        said = log_odds.reshape(len(label), self.occluded.pairs, 2, -1)
        score = ((said[:, :, 0] - said[:, :, 1]) * weights.unsqueeze(1)).sum(dim=2)
        change = torch.matmul(score, (kept - 0.5).flatten(1)).reshape(total.shape)
        return iteration + 1, total + change, torch.ones(1, dtype=torch.bool).all()


class Begin(nn.Module):
    """What the first iteration is given."""

    def forward(self, excerpt: Tensor) -> tuple[Tensor, Tensor]:
        """`iteration` int64 `[1]` and `total` `[B, T, F]`, both 0."""
        return torch.zeros(1, dtype=torch.int64), excerpt * 0.0


class Finish(nn.Module):
    """Sums to relevance."""

    def forward(self, total: Tensor) -> Tensor:
        """`relevance` `[B, T, F]` between 0 and 1: above ½ what speaks for the label."""
        largest = total.abs().amax(dim=(1, 2), keepdim=True)
        return 0.5 + 0.5 * total / torch.clamp(largest, min=SMALLEST)


def smooth_field(picture: tuple[int, int], options: OcclusionOptions) -> Tensor:
    """`[512, 512]` between 0 and 1, half of it above ½: what masks are cut out of, without seams."""
    noise = np.random.default_rng(options.seed).standard_normal((FIELD, FIELD))
    smooth = gaussian_filter(noise, [size / options.blobs for size in picture], mode="wrap")
    rank = smooth.ravel().argsort().argsort().reshape(FIELD, FIELD) / (FIELD * FIELD - 1)
    return torch.from_numpy(np.clip((rank - 0.5) / options.edge + 0.5, 0, 1).astype(np.float32))


def drawn_masks(
    options: OcclusionOptions, fillings: int
) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.int64]], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """`[P, 2]` where each pair of masks is cut out of the field, and `[P]` the number of its filling."""
    rng = np.random.default_rng((options.seed, 1))
    pairs = options.masks // 2
    return rng.integers(FIELD, size=(pairs, 2)), rng.permutation(np.arange(pairs) % fillings)
