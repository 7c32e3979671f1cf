"""What a label's masker is trained to make small: as `recipes.masker.objective`, for the label that is asked about.

    keep · L(region of x in other music, the label) + remove · L(x without its region, not the label)
    + silhouette · L(the region with a third excerpt's content, not the label) + area · cost(a) + total variation

Every excerpt is exchanged with music that lacks the label. The regions that are tried have a size that is drawn: the
first bins in the mask's own order. Were a region what the mask has above one half, the mask would learn to be large or
small long before it learns where. The cost of an area holds what is above one half near the usual size a₀.
The network is asked about each excerpt twice and more a step, which costs most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phonoscope_trainer.graphs.adopted import Answer
from phonoscope_trainer.graphs.asked_label import NO_CONTRAST, AskedLabel
from phonoscope_trainer.graphs.exchange import at_level_of, exchanged
from phonoscope_trainer.networks.label_masker import LabelMasker
from phonoscope_trainer.networks.listener import Decision, Listener
from phonoscope_trainer.recipes.label_masker.excerpts import margins_of
from phonoscope_trainer.recipes.masker.cutting import SHARPNESS, cut, least_inside
from phonoscope_trainer.recipes.masker.objective import missed

UNUSUAL_AREA = 0.1  # a₁: so much more or less costs half of the area's weight; from there on it grows evenly


@dataclass(frozen=True, slots=True)
class LabelWeights:
    """What each term counts."""

    keep: float = 3.0
    remove: float = 1.5
    silhouette: float = 0.5
    area: float = 0.4
    variation: float = 0.02
    usual_area: float = 0.3  # a₀: of an excerpt, what is in the region where the mask is cut at one half


@dataclass(frozen=True, slots=True)
class Met:
    """A batch: excerpts with a label, and music that lacks it; log-mel `[B, T, M]`."""

    log_mel: Tensor
    host: Tensor
    third: Tensor
    label: Tensor  # int32 `[B, 1]`


def objective(
    masker: LabelMasker,
    listener: Listener,
    seen: tuple[str, ...],
    met: Met,
    area: Tensor,
    weights: LabelWeights,
    judge: nn.Module | None = None,
) -> Mapping[str, Tensor]:
    """The objective, a scalar called `loss`, and each term before it is weighted.

    Args:
        masker: what learns.
        listener: what is explained.
        seen: the layers that the masker looks at.
        met: the batch.
        area: `[B]` how much of each excerpt its region is.
        weights: of the terms.
        judge: answers as the listener's network does, but faster; that network itself unless given.
    """
    standardise = listener.standardise
    asked = AskedLabel(listener.answers)(met.label, torch.full_like(met.label, NO_CONTRAST))
    excerpt = standardise(met.log_mel)
    with torch.no_grad():
        heard = listener.network.activations(excerpt)  # type: ignore[operator]  # Layered, or alike
    moves = _gradient(judge or listener.network, excerpt, asked, listener.decision)
    logits = masker.logits([heard[name] for name in seen], excerpt, moves, asked).float()
    region = cut(logits - least_inside(logits, area)[:, None, None])
    host, third = (at_level_of(met.log_mel, each) for each in (met.host, met.third))
    rows = len(region)
    some = slice(0, -(-rows // 4))  # an outline is soon learnt to say nothing, and asking costs as much as the rest
    tried = torch.cat(
        [
            exchanged(met.log_mel, region, host),
            exchanged(host, region, met.log_mel),
            exchanged(third[some], region[some], host[some]),
        ]
    )
    said = (judge or listener.network)(standardise(tried)).float()
    margins = margins_of(said, listener.threshold_logits, listener.decision)
    asked_rows = torch.cat([met.label, met.label, met.label[some]]).long()
    inside, outside, outline = margins.gather(1, asked_rows)[:, 0].split([rows, rows, len(met.label[some])])
    mask, usual = torch.sigmoid(SHARPNESS * logits), logits.new_tensor(weights.usual_area / UNUSUAL_AREA)
    terms = {
        "keep": missed(inside).mean(),
        "remove": missed(-outside).mean(),
        "silhouette": missed(-outline).mean(),
        "area": F.smooth_l1_loss(mask.mean(dim=(1, 2)) / UNUSUAL_AREA, usual.expand(rows)),
        "variation": mask.diff(dim=1).abs().mean() + mask.diff(dim=2).abs().mean(),
    }
    loss = torch.stack([getattr(weights, name) * value for name, value in terms.items()]).sum()
    kept = {"carried": (inside >= 0).float().mean(), "size": mask.mean()}
    return {"loss": loss, **terms, **kept}


def _gradient(network: nn.Module, excerpt: Tensor, asked: Tensor, decision: Decision) -> Tensor:
    """`[B, T, M]` of the answers asked about with respect to the excerpt, as the graph of a masker takes it."""
    with torch.enable_grad():
        given = excerpt.detach().requires_grad_()
        log_odds, _ = Answer(decision)(network(given).float())
        (gradient,) = torch.autograd.grad((log_odds * asked).sum(), given)
    return gradient
