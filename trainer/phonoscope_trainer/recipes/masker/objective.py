"""What a masker is trained to make small.

    keep · CE(inside, label) + remove · CE(outside, other label) + area · (a / a₀)² + total variation + instability

The first two terms are those of L-MAC (Paissan, Ravanelli & Subakan 2024) and of Dabkowski & Gal (2017), whose area and
smoothness terms these are, too; the label is the detector's own. Excerpts of both classes weigh alike, however
many of each a batch holds: a class that keeps its label on an empty input would otherwise pay for the other.

What is outside the region is not always the same: half the excerpts get the band's mean there (M1 of the EUSIPCO
paper), half what they held, attenuated as in a heard explanation. A region that holds only for one filling is a
property of the filling. Where the region is taken away it gets the band's mean: music that is merely quieter there has
no reason to change its label.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from phonoscope_trainer.networks.label import is_vocal
from phonoscope_trainer.networks.masker import Masker
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.recipes.augment import LN_PER_DECIBEL

FULL_AREA = 0.25  # a₀: where the area's cost is its weight, and steep
SHARPNESS = 4.0  # of the cut: masks are judged as regions, in which a bin is or is not


@dataclass(frozen=True, slots=True)
class Weights:
    """What each term counts."""

    keep: float = 3.0
    remove: float = 3.0
    area: float = 0.15
    variation: float = 1.0
    instability: float = 1.0


@dataclass(frozen=True, slots=True)
class Fillings:
    """How masked bins are filled, and where between sure and unsure the mask is cut; drawn anew for every batch."""

    outside_db: Tensor  # [B] attenuation of what is outside; NaN for the band's mean instead
    offset: Tensor  # [B] added to the mask's logits: other thresholds than one half are asked for, too


@dataclass(frozen=True, slots=True)
class MovedExcerpts:
    """A batch: standardised excerpts, each beside itself one frame later and at another level."""

    standardised: Tensor  # [B, 115, 80]
    moved: Tensor  # [B, 115, 80]


def draw_fillings(rows: int, seed: int, outside_db: tuple[float, float], offset: float) -> Fillings:
    """Fillings for `rows` excerpts.

    Args:
        rows: excerpts.
        seed: of everything drawn.
        outside_db: least and most attenuation, a uniform range.
        offset: standard deviation of the offset.
    """
    generator = torch.Generator().manual_seed(seed)
    low, high = outside_db
    attenuation = low + (high - low) * torch.rand(rows, generator=generator)
    is_mean = torch.rand(rows, generator=generator) < 0.5
    shift = offset * torch.randn(rows, generator=generator)
    return Fillings(torch.where(is_mean, torch.nan, attenuation), shift)


def filled(standardised: Tensor, outside_db: Tensor, standardise: Standardise, floor: Tensor) -> Tensor:
    """What takes the place of masked bins, `[B, T, M]`.

    Args:
        standardised: `[B, T, M]` the excerpts.
        outside_db: `[B]` attenuation, or NaN for the band's mean, which is 0.
        standardise: the detector's.
        floor: `[M]` standardised log-mel of digital silence; nothing is attenuated below it.
    """
    nepers = (outside_db.nan_to_num() * LN_PER_DECIBEL)[:, None, None]
    quieter = torch.maximum(standardised - nepers / standardise.std, floor)
    return torch.where(outside_db.isnan()[:, None, None], torch.zeros_like(quieter), quieter)


def objective(
    masker: Masker,
    network: SVDNet,
    excerpts: MovedExcerpts,
    fillings: Fillings,
    standardise: Standardise,
    floor: Tensor,
    threshold_logit: float,
    weights: Weights,
) -> Mapping[str, Tensor]:
    """The objective, a scalar called `loss`, and each term before it is weighted.

    Args:
        masker: what learns.
        network: the detector.
        excerpts: the batch.
        fillings: how its masked bins are filled.
        standardise: the detector's.
        floor: `[M]` standardised log-mel of digital silence.
        threshold_logit: at or above it the detector's label is `vocal`.
        weights: of the terms.
    """
    mask_logits, margin_sign = _heard(masker, network, excerpts.standardised, threshold_logit)
    share = 1 / torch.clamp((margin_sign == margin_sign[:, None]).sum(dim=1), min=1) / 2  # of its class, of two
    cut = torch.sigmoid(SHARPNESS * (mask_logits + fillings.offset[:, None, None]))
    fill = filled(excerpts.standardised, fillings.outside_db, standardise, floor)
    inside = fill + cut * (excerpts.standardised - fill)
    outside = excerpts.standardised * (1 - cut)
    margin = (network(torch.cat([inside, outside])).float()[:, 0] - threshold_logit).unflatten(0, (2, -1)) * margin_sign
    mask = torch.sigmoid(SHARPNESS * mask_logits)
    moved, _ = _heard(masker, network, excerpts.moved, threshold_logit)
    instability = (torch.sigmoid(SHARPNESS * moved)[:, :-1] - mask[:, 1:]).abs().mean(dim=(1, 2))
    terms = {
        "keep": F.softplus(-margin[0]),
        "remove": F.softplus(margin[1]),
        "area": (mask.mean(dim=(1, 2)) / FULL_AREA) ** 2,
        "variation": mask.diff(dim=1).abs().mean(dim=(1, 2)) + mask.diff(dim=2).abs().mean(dim=(1, 2)),
        "instability": instability,
    }
    balanced = {name: (share * values).sum() for name, values in terms.items()}
    loss = torch.stack([getattr(weights, name) * value for name, value in balanced.items()]).sum()
    return {"loss": loss, **balanced}


def _heard(masker: Masker, network: SVDNet, standardised: Tensor, threshold_logit: float) -> tuple[Tensor, Tensor]:
    """The mask's logits `[B, T, M]`, and +1 where the label is `vocal`, -1 where not, `[B]`."""
    with torch.no_grad():
        activations = network.activations(standardised)
    sign = torch.where(is_vocal(activations["logit"][:, 0], threshold_logit), 1.0, -1.0)
    return masker.logits(activations["conv5"], activations["fc8"]).float(), sign
