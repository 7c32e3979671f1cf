"""`mask`: from relevance to the region it points at, and to what is left with it and without it (EUSIPCO 2018)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from phonoscope_trainer.graphs.control_regions import CONTROLS, ControlRegions
from phonoscope_trainer.graphs.description import EXCERPT, REGION, Graph, TensorSpec, maps, numbers
from phonoscope_trainer.networks.standardise import Standardise

M1, M2 = 1, 2  # values of the tensor `masking`
CONTROL_MAPS = tuple(f"control_{number}" for number in range(1, CONTROLS + 1))
CONTROL_REGIONS = TensorSpec("control_regions", (CONTROLS, *EXCERPT))
ALPHA, MASKING = (next(spec for spec in REGION if spec.name == name) for name in ("alpha", "masking"))
BISECTIONS = 24  # halvings of [0, 1]: alpha to float32's resolution


class MaskGraph(nn.Module):
    """The explanation generator E of the paper, with a limit on the area and controls beside it."""

    def __init__(self, standardise: Standardise) -> None:
        super().__init__()
        self.standardise = standardise
        self.control_regions = ControlRegions()

    def forward(
        self,
        log_mel: Tensor,
        standardised: Tensor,
        relevance: Tensor,
        alpha: Tensor,
        maximum_area: Tensor,
        masking: Tensor,
        control_seed: Tensor,
    ) -> tuple[Tensor, ...]:
        """The region and what follows from it.

        Args:
            log_mel: `[B, 115, 80]` the raw excerpt.
            standardised: `[B, 115, 80]` the same, standardised.
            relevance: `[B, 115, 80]` in [0, 1], what some rule makes of the excerpt.
            alpha: `[B, 1]` a bin of this relevance or more belongs to the region.
            maximum_area: `[B, 1]` the region's largest share of the excerpt; 1 for no limit.
            masking: int32 `[B, 1]`: 1 multiplies the standardised excerpt (M1), 2 the raw one (M2).
            control_seed: int32 `[B, 1]`, 0 or more: what the control regions are drawn from.

        Returns:
            `mask`, `explanation` (inside the region), `remainder` (outside it) and `control_1` to `control_3` (inside
            random smooth regions of the same area), `[B, 115, 80]`; those regions, `[B, 3, 115, 80]`, 1 inside;
            `relative_area` and `effective_alpha`, the larger of alpha and what the area allows, `[B, 1]`.
        """
        threshold = torch.maximum(alpha, smallest_alpha(relevance, maximum_area))
        mask = at_least(relevance, threshold)
        controls = self.control_regions(control_seed, mask.sum(dim=(1, 2), keepdim=True))

        def inside(where: Tensor) -> Tensor:
            return masked(log_mel, standardised, where, masking, self.standardise)

        return (
            mask,
            inside(mask),
            inside(1 - mask),
            *(inside(control) for control in controls),
            torch.stack(controls, dim=1),
            mask.mean(dim=(1, 2)).unsqueeze(-1),
            threshold,
        )


class RegionGraph(nn.Module):
    """The region from an alpha alone, and what is inside it: without limit or controls, a tenth of the cost."""

    def __init__(self, standardise: Standardise) -> None:
        super().__init__()
        self.standardise = standardise

    def forward(
        self, log_mel: Tensor, standardised: Tensor, relevance: Tensor, alpha: Tensor, masking: Tensor
    ) -> tuple[Tensor, ...]:
        """`mask`, `explanation` and `relative_area`, as `MaskGraph` makes them where there is no limit."""
        mask = at_least(relevance, alpha)
        inside = masked(log_mel, standardised, mask, masking, self.standardise)
        return mask, inside, mask.mean(dim=(1, 2)).unsqueeze(-1)


def at_least(relevance: Tensor, threshold: Tensor) -> Tensor:
    """Bins of at least a threshold `[B, 1]`, `[B, 115, 80]`: 1 inside."""
    return (relevance >= threshold.unsqueeze(-1)).to(relevance.dtype)


def masked(log_mel: Tensor, standardised: Tensor, where: Tensor, masking: Tensor, standardise: Standardise) -> Tensor:
    """What is inside a region `where` `[B, 115, 80]`, all else masked."""
    raw = standardise(log_mel * where)
    return torch.where(masking.unsqueeze(-1) == M2, raw, standardised * where)


def smallest_alpha(relevance: Tensor, maximum_area: Tensor) -> Tensor:
    """`[B, 1]` the smallest alpha whose region in `relevance` `[B, T, M]` covers at most `maximum_area` `[B, 1]`.

    By bisection, because sorting 9200 bins has no TensorRT kernel; 0 where the limit is 1.
    """
    low, high = torch.zeros_like(maximum_area), torch.ones_like(maximum_area)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        area = (relevance >= middle.unsqueeze(-1)).to(relevance.dtype).mean(dim=(1, 2)).unsqueeze(-1)
        fits = area <= maximum_area
        high = torch.where(fits, middle, high)
        low = torch.where(fits, low, middle)
    return torch.where(maximum_area >= 1, torch.zeros_like(high), high)


def mask_graph(standardise: Standardise) -> Graph:
    """The description of `mask`."""
    example = tuple(torch.zeros(2, *EXCERPT) for _ in range(3))
    return Graph(
        "mask",
        MaskGraph(standardise),
        (*maps("log_mel", "standardised", "relevance"), *REGION),
        (
            *maps("mask", "explanation", "remainder", *CONTROL_MAPS),
            CONTROL_REGIONS,
            *numbers("relative_area", "effective_alpha"),
        ),
        (*example, torch.ones(2, 1), torch.ones(2, 1), *(torch.ones(2, 1, dtype=torch.int32) for _ in range(2))),
    )


def region_graph(standardise: Standardise) -> Graph:
    """The description of `region`."""
    example = tuple(torch.zeros(2, *EXCERPT) for _ in range(3))
    return Graph(
        "region",
        RegionGraph(standardise),
        (*maps("log_mel", "standardised", "relevance"), ALPHA, MASKING),
        (*maps("mask", "explanation"), *numbers("relative_area")),
        (*example, torch.ones(2, 1), torch.ones(2, 1, dtype=torch.int32)),
    )
