"""Moments of a track out of one dense pass: `moments` gathers their features, `masker_along` their relevance.

The dense pass of `track_detector` holds the layers of every frame's own excerpt: what an excerpt's pooled maps hold at
step i, the dense ones hold i strides later. A moment is named by the frame at which its excerpt begins.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from phonoscope_trainer.graphs.description import EXCERPT, Graph, TensorSpec
from phonoscope_trainer.graphs.masker import cheaply_decided
from phonoscope_trainer.networks.masker import Masker
from phonoscope_trainer.networks.svdnet import FC7_INPUT, POOL, SVDNet

FIRST = TensorSpec("first", (-1,), "int32")  # frames, counted from the first that the dense pass was given
DENSE = ("conv2", "conv5", "mp6", "fc7", "fc8", "logit")  # outputs of `track_detector` that moments are made of
GATHERED = ("mp6", "fc7", "fc8", "logit")
STEPS = {"conv2": (111, 1), "conv5": (33, POOL), "mp6": (FC7_INPUT[1], POOL * POOL)}  # of an excerpt, and their stride
EXAMPLE_FRAMES, EXAMPLE_FIRST = 300, (0, 17)  # any number above one excerpt's traces the same graph


def gathered(dense: Tensor, first: Tensor, layer: str) -> Tensor:
    """A layer's maps of moments, `[K, C, T, M]`, out of the dense ones, `[1, C, T', M]`; `first` is `[1, K]`."""
    steps, stride = STEPS[layer]
    index = first[0, :, None] + stride * torch.arange(steps, dtype=torch.int32)
    return dense[0].transpose(0, 1)[index.long()].transpose(1, 2)


class MomentsGraph(nn.Module):
    """Features of moments, in the shapes in which an excerpt has them."""

    def forward(self, mp6: Tensor, fc7: Tensor, fc8: Tensor, logit: Tensor, first: Tensor) -> tuple[Tensor, ...]:
        """Those of `first` `[1, K]`, each `[1, K, …]`, of dense maps, features and logits."""
        index = first[0].long()
        return (
            gathered(mp6, first, "mp6").unsqueeze(0),
            fc7[:, index],
            fc8[:, index],
            logit[:, index].unsqueeze(-1),
        )


class MaskerAlongGraph(nn.Module):
    """A masker at moments: what it makes of Conv2 alone is made once for all of them."""

    def __init__(self, masker: Masker) -> None:
        super().__init__()
        self.masker = masker

    def forward(self, conv2: Tensor, conv5: Tensor, fc8: Tensor, first: Tensor) -> Tensor:
        """`relevance` `[1, K, 115, 80]` at `first` `[1, K]`, of dense maps and features."""
        detail = gathered(self.masker.detail(conv2), first, "conv2")
        logits = self.masker.decided(detail, gathered(conv5, first, "conv5"), fc8[0, first[0].long()])
        return self.masker.bounded(logits).unsqueeze(0)


def moments_graph(network: SVDNet) -> Graph:
    """The description of `moments`."""
    inputs, outputs, example = _dense(network, GATHERED)
    return Graph("moments", MomentsGraph(), (*inputs, FIRST), outputs, (*example, _first()), maximum_batch=1)


def masker_along_graph(masker: Masker, network: SVDNet) -> Graph:
    """The description of `masker_along`."""
    inputs, _, example = _dense(network, ("conv2", "conv5", "fc8"))
    relevance = TensorSpec("relevance", (-1, *EXCERPT))
    module = MaskerAlongGraph(cheaply_decided(masker))
    return Graph("masker_along", module, (*inputs, FIRST), (relevance,), (*example, _first()), maximum_batch=1)


def dense_specs(network: SVDNet) -> tuple[TensorSpec, ...]:
    """The dense maps and features of `DENSE`."""
    return _dense(network, DENSE)[0]


@torch.no_grad()
def _dense(
    network: SVDNet, layers: tuple[str, ...]
) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...], tuple[Tensor, ...]]:
    """Dense inputs, what moments have of them, and examples."""
    values = dense(network, torch.zeros(1, EXAMPLE_FRAMES, EXCERPT[1]))
    own = network.activations(torch.zeros(1, *EXCERPT))
    inputs, outputs = [], []
    for layer in layers:
        shape = values[layer].shape
        dims = (shape[1], -1, shape[3]) if len(shape) == 4 else (-1, *shape[2:])
        inputs.append(TensorSpec(layer, dims))
        outputs.append(TensorSpec(f"moment_{layer}", (-1, *own[layer].shape[1:])))
    return tuple(inputs), tuple(outputs), tuple(values[layer] for layer in layers)


def dense(network: SVDNet, standardised: Tensor) -> dict[str, Tensor]:
    """`DENSE` at every frame of `standardised` `[1, T, M]`: maps `[1, C, T', M']`, features `[1, T', C]`, logits."""
    stages = dict(network.stages(standardised, every_frame=True))
    flat = {name: stages[name][..., 0].transpose(1, 2) for name in ("fc7", "fc8")}
    return {**{name: stages[name] for name in ("conv2", "conv5", "mp6")}, **flat, "logit": stages["fc9"][:, 0, :, 0]}


def _first() -> Tensor:
    return torch.tensor([EXAMPLE_FIRST], dtype=torch.int32)
