"""What a masker is trained to make small.

    keep · L(region of x in other music, x's answer) + remove · L(x without its region, the other answer)
    + silhouette · L(the region with a third excerpt's content, the other answer)
    + area · (max(0, a − a₀) / a₁)² + total variation + instability

L lies between the cross-entropy and the count of wrong answers (Zhang & Sabuncu 2018): an answer that no region can
carry or take away does not pull at all the others.

The answer is the detector's own. The first two terms and the area's and smoothness' are those of L-MAC (Paissan,
Ravanelli & Subakan 2024) and of Dabkowski & Gal (2017); there what is masked gives way to nothing. Nothing has an
edge, and a region's outline can carry the answer by itself. So most excerpts are exchanged with other music: what the
region holds must make an excerpt of the other answer, the *host*, give x's answer; what such a host holds there must
take it from x; and a third excerpt of the other answer, seen through the region, must not give it: then the outline
did. Where x is sung and its stems are known, its own accompaniment often plays the third's part: with the voice muted,
nobody sings in the region. The rest is filled with the band's mean (M1 of the EUSIPCO paper) or attenuated as in a
heard explanation, because explanations are judged by these, too; where such a region is taken away it gets the band's
mean.

The classes' weights do not hang on how many of each a batch holds: one that keeps its answer in any music would
otherwise pay for the other. Regions are judged with bins that are in or out, so that is how they are tried;
the gradient is that of a steep slope between the two. Many have a size that is drawn, which asks for the order of bins
alone; the others are as large as the mask would have them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from phonoscope_trainer.graphs.exchange import LN_FLOOR, at_level_of, exchanged
from phonoscope_trainer.graphs.masker import SEEN
from phonoscope_trainer.networks.label import is_vocal
from phonoscope_trainer.networks.masker import Masker
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.recipes.augment import LN_PER_DECIBEL
from phonoscope_trainer.recipes.masker.cutting import SHARPNESS, cut, least_inside

COSTLY_AREA = 0.1  # a₁: so much more costs the area's weight, and twice as much four times that
MUTED_SHARE = 0.5  # of excerpts with an accompaniment that is known
TOLERANCE = 0.5  # q of the loss: 0 would be the cross-entropy, 1 the expected count of wrong answers
SURE = 1.0  # logits from the threshold: how clearly a host has its answer


@dataclass(frozen=True, slots=True)
class Weights:
    """What each term counts."""

    keep: float = 3.0
    remove: float = 2.5
    silhouette: float = 3.0
    area: float = 0.5
    variation: float = 1.0
    instability: float = 1.0
    free_area: float = 0.12  # a₀: that costs nothing, so that no region vanishes before it has learnt anything
    vocal_share: float = 0.5  # of what answers that somebody sings count, all together


@dataclass(frozen=True, slots=True)
class Fillings:
    """What takes the place of masked bins, and where the mask is cut; drawn anew for every batch."""

    is_exchanged: Tensor  # [B] bool: other music, where the batch has any of the other answer
    preference: Tensor  # [B, B] of two rows that can both be a row's host, the one with the larger number is
    outside_db: Tensor  # [B] without other music: attenuation of what is outside; NaN for the band's mean instead
    third_db: Tensor  # [B] attenuation of the third excerpt, which shows the silhouette
    offset: Tensor  # [B] added to the mask's logits: other thresholds than one half are asked for, too
    area: Tensor  # [B] of an excerpt, how much its region is, in place of the offset; NaN where the mask says it
    is_muted: Tensor  # [B] bool: the excerpt's own accompaniment is the third, where it is known


@dataclass(frozen=True, slots=True)
class MovedExcerpts:
    """A batch: log-mel excerpts, each beside itself one frame later and at another level."""

    log_mel: Tensor  # [B, 115, 80]
    moved: Tensor  # [B, 115, 80]
    accompaniment: Tensor | None = None  # [B, 115, 80] without the voice; NaN where that is not known


def draw_fillings(
    rows: int,
    seed: int,
    exchange_share: float,
    outside_db: tuple[float, float],
    third_db: tuple[float, float],
    offset: float,
    sized_share: float,
    sizes: tuple[float, float],
) -> Fillings:
    """Fillings for `rows` excerpts.

    Args:
        rows: excerpts.
        seed: of everything drawn.
        exchange_share: of them, those that are exchanged with other music.
        outside_db: least and most attenuation, a uniform range, for half of the others.
        third_db: the same of the third excerpt.
        offset: standard deviation of the offset.
        sized_share: of excerpts whose region has a size that is drawn.
        sizes: the least and the largest of these, of an excerpt.
    """
    generator = torch.Generator().manual_seed(seed)
    attenuation, third, area = (
        low + (high - low) * torch.rand(rows, generator=generator) for low, high in (outside_db, third_db, sizes)
    )
    area[torch.rand(rows, generator=generator) >= sized_share] = torch.nan
    is_mean = torch.rand(rows, generator=generator) < 0.5
    shift = offset * torch.randn(rows, generator=generator)
    is_exchanged = torch.rand(rows, generator=generator) < exchange_share
    preference = torch.rand(rows, rows, generator=generator)
    is_muted = torch.rand(rows, generator=generator) < MUTED_SHARE
    return Fillings(
        is_exchanged, preference, torch.where(is_mean, torch.nan, attenuation), third, shift, area, is_muted
    )


def filled(log_mel: Tensor, outside_db: Tensor, mean: Tensor) -> Tensor:
    """What takes the place of masked bins without other music, `[B, T, M]`.

    Args:
        log_mel: `[B, T, M]` the excerpts.
        outside_db: `[B]` attenuation, down to silence, or NaN for the band's mean.
        mean: `[M]` the bands' means.
    """
    nepers = (outside_db.nan_to_num() * LN_PER_DECIBEL)[:, None, None]
    quieter = torch.clamp(log_mel - nepers, min=LN_FLOOR)
    return torch.where(outside_db.isnan()[:, None, None], mean.expand_as(quieter), quieter)


def hosts(margin: Tensor, preference: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Rows of a batch that are clearly of another answer: two for each row, and whether there is one, all `[B]`.

    Args:
        margin: `[B]` logits above the threshold's.
        preference: `[B, B]` not negative; the two largest of those that can be are chosen. A single one is both.
    """
    is_other = (margin >= 0)[:, None] != (margin >= 0)
    wanted = preference.masked_fill(~(is_other & (margin.abs() >= SURE)), -1)
    values, rows = wanted.topk(2, dim=1)
    return rows[:, 0], torch.where(values[:, 1] < 0, rows[:, 0], rows[:, 1]), values[:, 0] >= 0


def objective(
    masker: Masker,
    network: SVDNet,
    excerpts: MovedExcerpts,
    fillings: Fillings,
    standardise: Standardise,
    threshold_logit: float,
    weights: Weights,
) -> Mapping[str, Tensor]:
    """The objective, a scalar called `loss`, and each term before it is weighted.

    Args:
        masker: what learns.
        network: the detector.
        excerpts: the batch, of two rows or more.
        fillings: what takes the place of its masked bins.
        standardise: the detector's.
        threshold_logit: at or above it the detector's label is `vocal`.
        weights: of the terms.
    """
    log_mel = excerpts.log_mel
    with torch.no_grad():
        heard = network.activations(standardise(torch.cat([log_mel, excerpts.moved])))
    logits, moved_logits = masker.logits(*(heard[name] for name in SEEN)).float().chunk(2)
    margin = heard["logit"][: len(log_mel), 0].float() - threshold_logit
    host, third, has_host = hosts(margin, fillings.preference)
    other, silhouette = (at_level_of(log_mel, log_mel[rows]) for rows in (host, third))
    silhouette = filled(silhouette, fillings.third_db, standardise.mean)
    if (muted := excerpts.accompaniment) is not None:
        can_be = (margin >= 0) & _is_unsung(network, standardise, muted, threshold_logit)
        silhouette = torch.where((fillings.is_muted & can_be)[:, None, None], muted, silhouette)
    edge = torch.where(fillings.area.isnan(), -fillings.offset, least_inside(logits, fillings.area.nan_to_num()))
    region = cut(logits - edge[:, None, None])
    is_exchanged = (fillings.is_exchanged & has_host)[:, None, None]
    fill = torch.where(is_exchanged, other, filled(log_mel, fillings.outside_db, standardise.mean))
    loss_of_content = torch.where(is_exchanged, other, standardise.mean)
    tried = torch.cat(
        [
            exchanged(log_mel, region, fill),
            exchanged(loss_of_content, region, log_mel),
            exchanged(silhouette, region, other),
        ]
    )
    sign = torch.where(is_vocal(margin, 0), 1.0, -1.0)
    inside, outside, outline = (network(standardise(tried)).float()[:, 0] - threshold_logit).unflatten(0, (3, -1))
    mask, moved = torch.sigmoid(SHARPNESS * logits), torch.sigmoid(SHARPNESS * moved_logits)
    terms = {
        "keep": missed(sign * inside),
        "remove": missed(-sign * outside),
        "silhouette": missed(-sign * outline) * has_host,
        "area": (F.relu(mask.mean(dim=(1, 2)) - weights.free_area) / COSTLY_AREA) ** 2,
        "variation": mask.diff(dim=1).abs().mean(dim=(1, 2)) + mask.diff(dim=2).abs().mean(dim=(1, 2)),
        "instability": (moved[:, :-1] - mask[:, 1:]).abs().mean(dim=(1, 2)),
    }
    of_class = torch.where(sign > 0, weights.vocal_share, 1 - weights.vocal_share)
    share = of_class / torch.clamp((sign == sign[:, None]).sum(dim=1), min=1)
    balanced = {name: (share * values).sum() for name, values in terms.items()}
    loss = torch.stack([getattr(weights, name) * value for name, value in balanced.items()]).sum()
    return {"loss": loss, **balanced}


@torch.no_grad()
def _is_unsung(network: SVDNet, standardise: Standardise, accompaniment: Tensor, threshold_logit: float) -> Tensor:
    """`[B]` whether an accompaniment is known, and called what it is."""
    logits: Tensor = network(standardise(accompaniment.nan_to_num())).float()[:, 0]
    return (logits < threshold_logit) & ~accompaniment[:, 0, 0].isnan()


def missed(margin: Tensor) -> Tensor:
    """(1 − p^q) / q of the probability p that `margin` `[B]`, logits above the threshold's, gives the answer wanted."""
    probability_to_q = torch.exp(TOLERANCE * F.logsigmoid(margin))
    return (1 - probability_to_q) / TOLERANCE
