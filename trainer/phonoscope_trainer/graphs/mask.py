"""`mask`: from relevance to the region it points at, and to what is left with it and without it (EUSIPCO 2018)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from phonoscope_trainer.graphs.control_regions import CONTROLS, ControlRegions
from phonoscope_trainer.graphs.description import EXCERPT, REGION, Graph, TensorSpec, numbers
from phonoscope_trainer.graphs.listener import DETECTOR, Listener

M1, M2 = 1, 2  # values of the tensor `masking`
CONTROL_MAPS = tuple(f"control_{number}" for number in range(1, CONTROLS + 1))
CONTROL_REGIONS = TensorSpec("control_regions", (CONTROLS, *EXCERPT))
ALPHA, MASKING = (next(spec for spec in REGION if spec.name == name) for name in ("alpha", "masking"))
BISECTIONS = 24  # halvings of [0, 1]: alpha to float32's resolution


class MaskGraph(nn.Module):
    """The explanation generator E of the paper, with a limit on the area and controls beside it.

    Args:
        standardise: makes of log-mel what the network is given.
        picture: frames and bands of an excerpt.
    """

    def __init__(self, standardise: nn.Module, picture: tuple[int, int] = EXCERPT) -> None:
        super().__init__()
        self.standardise = standardise
        self.control_regions = ControlRegions(picture)

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
            log_mel: `[B, T, M]` the raw excerpt.
            standardised: `[B, T, M]` the same, standardised.
            relevance: `[B, T, M]` in [0, 1], what some rule makes of the excerpt.
            alpha: `[B, 1]` a bin of this relevance or more belongs to the region.
            maximum_area: `[B, 1]` the region's largest share of the excerpt; 1 for no limit.
            masking: int32 `[B, 1]`: 1 multiplies the standardised excerpt (M1), 2 the raw one (M2).
            control_seed: int32 `[B, 1]`, 0 or more: what the control regions are drawn from.

        Returns:
            `mask`, `explanation` (inside the region), `remainder` (outside it) and `control_1` to `control_3` (inside
            random smooth regions of the same area), `[B, T, M]`; those regions, `[B, 3, T, M]`, 1 inside;
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

    def __init__(self, standardise: nn.Module) -> None:
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
    """Bins of at least a threshold `[B, 1]`, `[B, T, M]`: 1 inside."""
    return (relevance >= threshold.unsqueeze(-1)).to(relevance.dtype)


def masked(log_mel: Tensor, standardised: Tensor, where: Tensor, masking: Tensor, standardise: nn.Module) -> Tensor:
    """What is inside a region `where` `[B, T, M]`, all else masked."""
    raw: Tensor = standardise(log_mel * where)
    return torch.where(masking.unsqueeze(-1) == M2, raw, standardised * where)


def smallest_alpha(relevance: Tensor, maximum_area: Tensor) -> Tensor:
    """`[B, 1]` the smallest alpha whose region in `relevance` `[B, T, M]` covers at most `maximum_area` `[B, 1]`.

    By bisection, because sorting thousands of bins has no TensorRT kernel; 0 where the limit is 1.
    """
    low, high = torch.zeros_like(maximum_area), torch.ones_like(maximum_area)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        area = (relevance >= middle.unsqueeze(-1)).to(relevance.dtype).mean(dim=(1, 2)).unsqueeze(-1)
        fits = area <= maximum_area
        high = torch.where(fits, middle, high)
        low = torch.where(fits, low, middle)
    return torch.where(maximum_area >= 1, torch.zeros_like(high), high)


def mask_graph(standardise: nn.Module, listener: Listener = DETECTOR) -> Graph:
    """The description of `mask`."""
    picture = listener.picture
    return Graph(
        listener.model("mask"),
        MaskGraph(standardise, picture),
        (*listener.maps("log_mel", "standardised", "relevance"), *REGION),
        (
            *listener.maps("mask", "explanation", "remainder", *CONTROL_MAPS),
            control_regions(listener),
            *numbers("relative_area", "effective_alpha"),
        ),
        (
            *(torch.zeros(2, *picture) for _ in range(3)),
            *(torch.ones(2, 1) for _ in range(2)),
            *(torch.ones(2, 1, dtype=torch.int32) for _ in range(2)),
        ),
    )


def control_regions(listener: Listener) -> TensorSpec:
    """The random regions of an excerpt, 1 inside."""
    return TensorSpec(CONTROL_REGIONS.name, (CONTROLS, *listener.picture))


def region_graph(standardise: nn.Module) -> Graph:
    """The description of `region`."""
    example = tuple(torch.zeros(2, *EXCERPT) for _ in range(3))
    return Graph(
        "region",
        RegionGraph(standardise),
        (*DETECTOR.maps("log_mel", "standardised", "relevance"), ALPHA, MASKING),
        (*DETECTOR.maps("mask", "explanation"), *numbers("relative_area")),
        (*example, torch.ones(2, 1), torch.ones(2, 1, dtype=torch.int32)),
    )
