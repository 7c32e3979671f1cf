"""`inverter_LAYER`: what one layer of the detector keeps of an excerpt, and how far that is from the excerpt."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from phonoscope_trainer.graphs.description import EXCERPT, Graph, TensorSpec, maps, numbers
from phonoscope_trainer.networks.feature_inverters import FeatureInverter
from phonoscope_trainer.networks.svdnet import SVDNet


class InverterGraph(nn.Module):
    """A feature inverter and its normalised reconstruction error (ISMIR 2018, Eq. 5)."""

    mean_distance: Tensor

    def __init__(self, inverter: FeatureInverter, mean_distance: float) -> None:
        super().__init__()
        self.inverter = inverter
        self.register_buffer("mean_distance", torch.tensor(mean_distance), persistent=False)

    def forward(self, activation: Tensor, excerpt: Tensor) -> tuple[Tensor, Tensor]:
        """What the layer keeps, and the distance to where it came from.

        Args:
            activation: `[B, …]` the layer's.
            excerpt: `[B, 115, 80]` the standardised excerpt that caused it.

        Returns:
            `inverted` `[B, 115, 80]`, standardised, and `reconstruction_error` `[B, 1]`: the Euclidean distance between
            the two, divided by the mean distance between two of the bundle's validation excerpts.
        """
        inverted = self.inverter(activation)
        distance = torch.sqrt(torch.sum((excerpt - inverted) ** 2, dim=(1, 2)))
        return inverted, (distance / self.mean_distance).unsqueeze(-1)


@dataclass(frozen=True, slots=True)
class Inverters:
    """A bundle's feature inverters, in the order of the detector's layers."""

    networks: tuple[FeatureInverter, ...]
    mean_distance: float  # between two validation excerpts, standardised: the constant of Eq. 5

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that can be inverted."""
        return tuple(network.layer for network in self.networks)


@torch.no_grad()
def inverter_graphs(inverters: Inverters, network: SVDNet) -> tuple[Graph, ...]:
    """The description of every layer's inverter; the detector `network` tells the shapes of its activations."""
    excerpt = torch.zeros(2, *EXCERPT)
    activations = network.activations(excerpt)
    return tuple(
        Graph(
            graph_name(inverter.layer),
            InverterGraph(inverter.eval(), inverters.mean_distance),
            (TensorSpec("activation", tuple(activations[inverter.layer].shape[1:])), *maps("excerpt")),
            (*maps("inverted"), *numbers("reconstruction_error")),
            (activations[inverter.layer], excerpt),
        )
        for inverter in inverters.networks
    )


def graph_name(layer: str) -> str:
    """What a layer's inverter is called in the repository."""
    return f"inverter_{layer}"
