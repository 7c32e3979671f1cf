"""`explanation_inverter`: the paper's rule, relevance by what FC8 still holds (EUSIPCO 2018, section II)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from phonoscope_trainer.graphs.description import EXCERPT, Graph, TensorSpec, maps, numbers
from phonoscope_trainer.networks.inverter import FEATURES, ExplanationInverter


class ExplanationInverterGraph(nn.Module):
    """The inverter, how far its inversion is from the excerpt, and the relevance the paper reads from it."""

    def __init__(self, inverter: ExplanationInverter) -> None:
        super().__init__()
        self.inverter = inverter

    def forward(self, fc8: Tensor, excerpt: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What the features hold, and what that says.

        Args:
            fc8: `[B, 64]` the detector's features.
            excerpt: `[B, 115, 80]` the standardised excerpt that caused them.

        Returns:
            `inverted` `[B, 115, 80]`, standardised; `relevance` `[B, 115, 80]`, the same brought to [0, 1];
            `reconstruction_error` `[B, 1]`, the root mean square of excerpt - inverted.
        """
        inverted = self.inverter(fc8)
        error = torch.sqrt(torch.mean((excerpt - inverted) ** 2, dim=(1, 2)))
        return inverted, normalise(inverted), error.unsqueeze(-1)


def normalise(inverted: Tensor) -> Tensor:
    """Each inversion `[B, T, M]` brought to [0, 1] by its own extremes; a constant one becomes 0."""
    low, high = inverted.amin(dim=(1, 2), keepdim=True), inverted.amax(dim=(1, 2), keepdim=True)
    return (inverted - low) / torch.clamp(high - low, min=1e-12)


def explanation_inverter_graph(inverter: ExplanationInverter) -> Graph:
    """The description of `explanation_inverter`."""
    return Graph(
        "explanation_inverter",
        ExplanationInverterGraph(inverter),
        (TensorSpec("fc8", (FEATURES,)), *maps("excerpt")),
        (*maps("inverted", "relevance"), *numbers("reconstruction_error")),
        (torch.zeros(2, FEATURES), torch.zeros(2, *EXCERPT)),
    )
