"""Feature inversion without training: gradient descent on the excerpt itself (Mahendran & Vedaldi 2015; Eq. 1).

Slow, and it needs a prior made by hand; what it finds shows what a trained inverter adds from all the music it knows,
and what it cannot draw though the layer still holds it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from phonoscope_trainer.measures.reconstruction_error import (
    Inverter,
    comparator_errors,
    inversions,
    mean_pairwise_distance,
    reconstruction_errors,
)
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.recipes.feature_inversion.objective import representation


@dataclass(frozen=True, slots=True)
class DescentOptions:
    """How the excerpt is searched for."""

    steps: int = 150
    learning_rate: float = 0.1  # of Adam, in standard deviations
    energy_weight: float = 1e-3  # prior: bins are near their mean
    variation_weight: float = 1e-3  # prior: neighbours are alike
    seed: int = 0


def invert_by_descent(excerpts: Tensor, network: SVDNet, layer: str, options: DescentOptions) -> Tensor:
    """`[N, T, M]` the excerpts found whose activations at `layer` are those of standardised `excerpts` `[N, T, M]`.

    Minimises, for each excerpt, the squared distance of the activations over the squared norm of the wanted ones, plus
    the weighted mean square of bins and of differences between neighbours; starts from faint noise.
    """
    with torch.no_grad():
        wanted = representation(excerpts, network, layer)
        norm = wanted.square().flatten(1).sum(dim=1)
    generator = torch.Generator().manual_seed(options.seed)
    found = (0.1 * torch.randn(excerpts.shape, generator=generator)).requires_grad_()
    optimiser = torch.optim.Adam([found], options.learning_rate)
    for _ in range(options.steps):
        difference = representation(found, network, layer) - wanted
        loss = difference.square().flatten(1).sum(dim=1) / norm + options.energy_weight * found.square().mean(
            dim=(1, 2)
        )
        for axis in (1, 2):
            loss = loss + options.variation_weight * found.diff(dim=axis).square().mean(dim=(1, 2))
        optimiser.zero_grad()
        loss.sum().backward()
        optimiser.step()
    return found.detach()


def compare_with_descent(
    excerpts: Tensor, network: SVDNet, inverters: Iterable[Inverter], options: DescentOptions
) -> dict[str, dict[str, dict[str, float]]]:
    """Layer → `trained` and `descent` → mean errors of both ways to invert `excerpts` `[N, T, M]`, N >= 2.

    `nre` is the distance to the excerpt, `feature_error` that of the layer's own activations; both in units of the mean
    distance between two of the excerpts.
    """
    unit = mean_pairwise_distance(excerpts)
    trained = inversions(excerpts, network, inverters)
    compared: dict[str, dict[str, dict[str, float]]] = {}
    for layer in tqdm(trained, desc="descent", unit="layer"):
        found = {"trained": trained[layer], "descent": invert_by_descent(excerpts, network, layer, options)}
        own = comparator_errors(excerpts, found, network, layer)
        compared[layer] = {
            way: {
                "nre": float(reconstruction_errors(excerpts, inverted, unit).mean()),
                "feature_error": float(own[way].mean()),
            }
            for way, inverted in found.items()
        }
    return compared
