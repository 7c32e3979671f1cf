"""`detector` on one excerpt with every layer as an output, and `track_detector` at every frame of a track."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from phonoscope_trainer.graphs.along import DENSE, dense, dense_specs
from phonoscope_trainer.graphs.description import EXCERPT, SILENCE, Graph, TensorSpec, maps, numbers
from phonoscope_trainer.graphs.gradient import BACK, dense_gradient
from phonoscope_trainer.networks.svdnet import FC7_INPUT, LAYERS, SVDNet


class DetectorGraph(nn.Module):
    """SVDNet, all of it visible."""

    def __init__(self, network: SVDNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, excerpt: Tensor) -> tuple[Tensor, ...]:
        """Each layer, `logit`, `probability` `[B, 1]` and ∂logit/∂mp6 of the standardised `excerpt` `[B, 115, 80]`."""
        activations = self.network.activations(excerpt)
        logit = activations["logit"]
        back = dense_gradient(self.network, activations["fc7"], activations["fc8"])
        return (*(activations[layer] for layer in LAYERS), logit, torch.sigmoid(logit), back)


class TrackGraph(nn.Module):
    """SVDNet at every frame in one pass; silence can be put around what it is given."""

    silence: Tensor

    def __init__(self, network: SVDNet, silence: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("silence", silence, persistent=False)  # [1, 1, M], standardised

    def forward(self, standardised: Tensor, silence_before: Tensor, silence_after: Tensor) -> tuple[Tensor, ...]:
        """`probability` `[1, T']` and the layers of `along.DENSE` at every frame of `standardised` `[1, T, M]`.

        T' = silence_before + T + silence_after - 114: the frames with 57 neighbours on either side; maps are longer by
        what is still to be seen of an excerpt. Both counts are int32 `[1, 1]`.
        """
        before, after = (
            self.silence.expand(1, int(count.reshape(()).item()), -1) for count in (silence_before, silence_after)
        )
        layers = dense(self.network, torch.cat([before, standardised, after], dim=1))
        return torch.sigmoid(layers["logit"]), *(layers[name] for name in DENSE)


def detector_graph(network: SVDNet) -> Graph:
    """The description of `detector`."""
    excerpt = torch.zeros(2, *EXCERPT)
    activations = network.activations(excerpt)
    layers = tuple(TensorSpec(name, tuple(activations[name].shape[1:])) for name in LAYERS)
    return Graph(
        "detector",
        DetectorGraph(network),
        maps("excerpt"),
        (*layers, *numbers("logit", "probability"), TensorSpec(BACK, FC7_INPUT)),
        (excerpt,),
        parameters={"layers": ",".join(LAYERS)},
    )


def track_graph(network: SVDNet, silence: Tensor) -> Graph:
    """The description of `track_detector`; `silence` `[1, 1, M]` is what surrounds every recording."""
    frames, bands = 300, silence.shape[-1]  # any number above one excerpt's traces the same graph
    counts = tuple(torch.full((1, 1), 57, dtype=torch.int32) for _ in SILENCE)
    return Graph(
        "track_detector",
        TrackGraph(network, silence),
        (TensorSpec("standardised", (-1, bands)), *SILENCE),
        (TensorSpec("probability", (-1,)), *dense_specs(network)),
        (torch.zeros(1, frames, bands), *counts),
        maximum_batch=1,
    )
