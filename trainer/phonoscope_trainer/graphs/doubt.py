"""`doubt`: how far an answer is to be doubted, from layers that the detector has computed already."""

from __future__ import annotations

import torch

from phonoscope_trainer.graphs.description import EXCERPT, Graph, TensorSpec, numbers
from phonoscope_trainer.networks.doubt import SEEN, Doubt
from phonoscope_trainer.networks.svdnet import SVDNet

DOUBT = "doubt"  # the graph
DOUBTS = ("doubt", "wrong", "foreign")  # outputs, in order


@torch.no_grad()
def doubt_graph(doubt: Doubt, network: SVDNet) -> Graph:
    """The description of `doubt`; the detector `network` tells the shapes of its activations."""
    excerpt = torch.zeros(2, *EXCERPT)
    known = network.activations(excerpt) | {"excerpt": excerpt}
    return Graph(
        DOUBT,
        doubt.eval(),
        tuple(TensorSpec(name, tuple(known[name].shape[1:])) for name in SEEN),
        numbers(*DOUBTS),
        tuple(known[name] for name in SEEN),
    )
