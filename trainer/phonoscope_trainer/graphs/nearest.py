"""`nearest_examples`: how far an excerpt lies from those of the bank in the detector's last hidden layer.

What a network holds for alike there it answers alike: examples say of an answer what no region can, "as for these".
Distances are Euclidean, in units of the median distance between two excerpts of the bank: 1 is as far as any two of
them are from each other, 0 the same features.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from phonoscope_trainer.graphs.bank import Bank, unpacked
from phonoscope_trainer.graphs.description import Graph, TensorSpec
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet

NEAREST_EXAMPLES = "nearest_examples"
LAYER = "fc8"
LEAST_DISTANCE = 1e-6  # of a bank whose excerpts are all alike


class NearestExamples(nn.Module):
    """Distances to every excerpt of a bank, in its order: which of two as near comes first is no number to prove."""

    features: Tensor
    unit: Tensor

    def __init__(self, features: Tensor) -> None:
        """Has the features `[E, F]` of a bank's excerpts."""
        super().__init__()
        self.register_buffer("features", features, persistent=False)
        unit = torch.pdist(features).median().clamp(min=LEAST_DISTANCE)
        self.register_buffer("unit", unit, persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """`distance` `[B, E]` of `features` `[B, F]`."""
        return (features.unsqueeze(1) - self.features).square().sum(dim=2).sqrt() / self.unit


@torch.no_grad()
def nearest_examples_graph(bank: Bank, network: SVDNet, standardise: Standardise) -> Graph:
    """The description of `nearest_examples`: excerpts without singing are counted first, then those that are sung."""
    heard = standardise(unpacked(bank.log_mel.flatten(0, 1), bank.step))
    features = network.activations(heard)[LAYER]
    examples, width = features.shape
    return Graph(
        NEAREST_EXAMPLES,
        NearestExamples(features),
        (TensorSpec(LAYER, (width,)),),
        (TensorSpec("distance", (examples,)),),
        (torch.zeros(2, width),),
    )
