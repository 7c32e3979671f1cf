"""Normalised reconstruction error: how far an inversion is from its excerpt (Mishra et al., ISMIR 2018, Eq. 5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

import torch
from torch import Tensor

from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.recipes.feature_inversion.objective import representation

PART_ROWS = 32  # bounds the memory of one pass


class Inverter(Protocol):
    """What draws excerpts from the activations of one layer."""

    layer: str

    def __call__(self, activation: Tensor) -> Tensor:
        """`[B, T, M]` of an activation `[B, …]`."""


def mean_pairwise_distance(excerpts: Tensor) -> float:
    """The mean Euclidean distance between two different ones of N >= 2 `excerpts` `[N, T, M]`: the paper's N_c."""
    return float(torch.pdist(excerpts.flatten(1)).mean())


def reconstruction_errors(excerpts: Tensor, inversions: Tensor, mean_distance: float) -> Tensor:
    """`[N]` the distance of each of `inversions` `[N, T, M]` to its excerpt, in units of `mean_distance`."""
    distances: Tensor = torch.linalg.vector_norm((excerpts - inversions).flatten(1), dim=1)
    return distances / mean_distance


@torch.inference_mode()
def inversions(excerpts: Tensor, network: SVDNet, inverters: Iterable[Inverter]) -> dict[str, Tensor]:
    """Layer → `[N, T, M]`: what each layer of `network` keeps of standardised `excerpts` `[N, T, M]`."""
    found: dict[str, list[Tensor]] = {}
    inverters = list(inverters)
    for part in excerpts.split(PART_ROWS):
        activations = network.activations(part)
        for inverter in inverters:
            found.setdefault(inverter.layer, []).append(inverter(activations[inverter.layer]))
    return {layer: torch.cat(parts) for layer, parts in found.items()}


@torch.inference_mode()
def comparator_errors(
    excerpts: Tensor, found: Mapping[str, Tensor], network: SVDNet, comparator: str
) -> dict[str, Tensor]:
    """Layer → `[N]` the distance of Θ(x̂) to Θ(x) in units of the mean distance between two excerpts' Θ(x)."""

    def represented(pictures: Tensor) -> Tensor:
        return torch.cat([representation(part, network, comparator).flatten(1) for part in pictures.split(PART_ROWS)])

    wanted = represented(excerpts)
    unit = mean_pairwise_distance(wanted)
    return {layer: reconstruction_errors(wanted, represented(each), unit) for layer, each in found.items()}
