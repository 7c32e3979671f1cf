"""`masker`: relevance by one forward pass of a trained masker over layers that the detector has computed already."""

from __future__ import annotations

import torch

from phonoscope_trainer.graphs.description import EXCERPT, Graph, TensorSpec, maps
from phonoscope_trainer.networks.masker import Masker
from phonoscope_trainer.networks.svdnet import SVDNet

SEEN = ("conv2", "conv5", "fc8")  # the masker's inputs, in order


@torch.no_grad()
def masker_graph(masker: Masker, network: SVDNet) -> Graph:
    """The description of `masker`; the detector `network` tells the shapes of its activations."""
    activations = network.activations(torch.zeros(2, *EXCERPT))
    return Graph(
        "masker",
        masker.eval(),
        tuple(TensorSpec(name, tuple(activations[name].shape[1:])) for name in SEEN),
        maps("relevance"),
        tuple(activations[name] for name in SEEN),
    )
