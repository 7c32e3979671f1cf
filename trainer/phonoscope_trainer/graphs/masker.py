"""`masker`: relevance by one forward pass of a trained masker over layers that the detector has computed already."""

from __future__ import annotations

import copy

import torch
from torch import nn

from phonoscope_trainer.graphs.description import EXCERPT, Graph, TensorSpec, maps
from phonoscope_trainer.networks.masker import Masker, transposed
from phonoscope_trainer.networks.svdnet import SVDNet

KERNEL = 3  # of its convolutions
SEEN = ("conv2", "conv5", "fc8")  # the masker's inputs, in order


@torch.no_grad()
def masker_graph(masker: Masker, network: SVDNet) -> Graph:
    """The description of `masker`; the detector `network` tells the shapes of its activations."""
    activations = network.activations(torch.zeros(2, *EXCERPT))
    return Graph(
        "masker",
        cheaply_decided(masker),
        tuple(TensorSpec(name, tuple(activations[name].shape[1:])) for name in SEEN),
        maps("relevance"),
        tuple(activations[name] for name in SEEN),
    )


@torch.no_grad()
def cheaply_decided(masker: Masker) -> Masker:
    """The same function, in evaluation mode, whose last convolution is written as a transposed one.

    It makes one map of eight. Runtimes make sixteen in a convolution where they could make one, and a product and nine
    sums of what is transposed.
    """
    same, decide = copy.deepcopy(masker).eval(), masker.decide
    turned = nn.ConvTranspose2d(decide.in_channels, 1, KERNEL, padding=KERNEL // 2)
    turned.load_state_dict({"weight": transposed(decide.weight), "bias": decide.bias})
    same.add_module("decide", turned)
    return same
