"""How the region is chosen from the relevance that a rule gives every bin (EUSIPCO 2018, section II.B)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from phonoscope_serving.bundle.listeners.decision import Claim
from phonoscope_serving.rpcs.call import Call
from phonoscope_serving.tensors import Array, Floats

ALPHA_GRID = np.linspace(0.0, 1.0, 21, dtype=np.float32)  # 0, .05 … 1
NO_AREA_LIMIT = 1.0


class Masking(IntEnum):
    """What a masked bin becomes; the numbers are those of the `mask` graph."""

    M1 = 1  # the band's mean
    M2 = 2  # log-mel 0


@dataclass(frozen=True)
class Alpha:
    """Keep bins whose relevance is at least this, in [0, 1]; None for the rule's own."""

    value: float | None


@dataclass(frozen=True)
class LargestAlphaThatKeepsLabel:
    """The largest alpha of `ALPHA_GRID` with which the listener keeps the label."""


@dataclass(frozen=True)
class MaximumArea:
    """The smallest alpha whose region covers at most this share of the excerpt, in (0, 1]."""

    share: float


RegionChoice = Alpha | LargestAlphaThatKeepsLabel | MaximumArea


def region_inputs(choice: RegionChoice, masking: Masking, default_alpha: float) -> dict[str, Array]:
    """The inputs of `mask` that say how a region is chosen, one row each; for a sweep, alpha 0."""
    alpha, area = default_alpha, NO_AREA_LIMIT
    match choice:
        case Alpha(float(value)):
            alpha = value
        case MaximumArea(share):
            alpha, area = 0.0, share
    return {
        "alpha": np.array([[alpha]], np.float32),
        "maximum_area": np.array([[area]], np.float32),
        "masking": np.array([[masking]], np.int32),
    }


async def largest_alpha(call: Call, claim: Claim, known: Mapping[str, Array], inputs: Mapping[str, Array]) -> Floats:
    """The largest alpha of the grid that keeps the label, `[1, 1]`; 0, which keeps everything, if none does.

    Args:
        call: what answers.
        claim: the label.
        known: what the rule says of the excerpt, one row each: its tensors `known`.
        inputs: of `mask` otherwise, one row each.
    """
    rows = len(ALPHA_GRID)
    sweep = {name: np.repeat(tensor, rows, axis=0) for name, tensor in known.items()}
    sweep |= {name: np.repeat(tensor, rows, axis=0) for name, tensor in inputs.items()}
    tried = await call.infer(call.listener.model("masked"), sweep | {"alpha": ALPHA_GRID[:, None]}, continues=True)
    keeps = claim.holds(tried["masked_probability"])
    return np.array([[ALPHA_GRID[keeps].max(initial=0.0)]], np.float32)
