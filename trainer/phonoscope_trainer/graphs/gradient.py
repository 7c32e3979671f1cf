"""`gradient`: relevance by smoothed gradient × input, from the layers that the detector has computed already.

The gradient is the detector's adjoint, written with ordinary operations: ONNX has no automatic differentiation, and a
forward pass that keeps its activations need not be repeated. `detector` itself goes back through its dense layers:
their weights are most of it, and no second graph need hold them. Leaky rectifiers pass what their output's sign says;
pooling passes to the largest of its nine, the first of several; the adjoint of a convolution is a convolution with
its kernel turned round (stride 1, so no transposed convolution is needed, which ONNX Runtime computes slowly).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phonoscope_trainer.graphs.description import EXCERPT, Graph, TensorSpec, maps, numbers
from phonoscope_trainer.networks.label import is_vocal, threshold_logit
from phonoscope_trainer.networks.svdnet import FC7_INPUT, LEAKY_SLOPE, POOL, SVDNet

SMOOTHING = (9, 7)  # frames, bands: single bins are no region
SMALLEST = 1e-12  # of an excerpt's largest relevance; one in which nothing is relevant is ½ everywhere
KEPT = ("conv1", "conv2", "conv4", "conv5")  # what the adjoint asks of the forward pass
BACK = "mp6_gradient"  # ∂logit/∂mp6, an output of `detector`
KERNEL = 3  # of every convolution


class GradientGraph(nn.Module):
    """The relevance of every bin to the label that the detector gave."""

    def __init__(self, network: SVDNet, threshold: float) -> None:
        super().__init__()
        self.network = network
        self.threshold_logit = threshold_logit(threshold)

    def forward(
        self,
        excerpt: Tensor,
        conv1: Tensor,
        conv2: Tensor,
        conv4: Tensor,
        conv5: Tensor,
        mp6_gradient: Tensor,
        logit: Tensor,
    ) -> Tensor:
        """`relevance` `[B, 115, 80]` between 0 and 1: above ½ what speaks for the label, whichever label it is.

        Its distance from ½ is gradient × input, smoothed, in units of twice the excerpt's largest.

        Args:
            excerpt: `[B, 115, 80]` standardised: a bin at its band's mean is 0 and relevant to nothing.
            conv1: `[B, 64, 113, 78]`, and so on: the detector's layers for this excerpt.
            conv2: `[B, 32, 111, 76]`.
            conv4: `[B, 128, 35, 23]`.
            conv5: `[B, 64, 33, 21]`.
            mp6_gradient: `[B, 64, 11, 7]`, see `dense_gradient`.
            logit: `[B, 1]`.
        """
        label = torch.where(is_vocal(logit, self.threshold_logit), 1.0, -1.0)
        speaks_for = smoothed(excerpt * self.gradient(conv1, conv2, conv4, conv5, mp6_gradient) * label.unsqueeze(-1))
        largest = speaks_for.abs().amax(dim=(1, 2), keepdim=True)
        return 0.5 + 0.5 * speaks_for / torch.clamp(largest, min=SMALLEST)

    def gradient(self, conv1: Tensor, conv2: Tensor, conv4: Tensor, conv5: Tensor, mp6_gradient: Tensor) -> Tensor:
        """∂logit/∂excerpt `[B, 115, 80]`, from what `forward` describes."""
        g = unpooled(mp6_gradient, conv5) * slope(conv5)
        g = self._adjoint("conv5", g) * slope(conv4)
        g = unpooled(self._adjoint("conv4", g), conv2) * slope(conv2)
        g = self._adjoint("conv2", g) * slope(conv1)
        return self._adjoint("conv1", g)[:, 0]

    def _adjoint(self, name: str, g: Tensor) -> Tensor:
        """The adjoint of a valid convolution, from `[B, C', T - 2, M - 2]` to `[B, C, T, M]`."""
        convolution = self.network.get_submodule(name)
        assert isinstance(convolution, nn.Conv2d)
        return F.conv2d(g, convolution.weight.transpose(0, 1).flip(2, 3), padding=KERNEL - 1)


def dense_gradient(network: SVDNet, fc7: Tensor, fc8: Tensor) -> Tensor:
    """∂logit/∂mp6 `[B, 64, 11, 7]`, from the layers `fc7` `[B, 256]` and `fc8` `[B, 64]`."""
    g = network.fc9.weight * slope(fc8)
    g = g @ network.fc8.weight * slope(fc7)
    back: Tensor = (g @ network.fc7.weight).unflatten(1, FC7_INPUT)
    return back


def asked(network: SVDNet, activations: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
    """What `GradientGraph` takes beside the excerpt, of the network's activations for it."""
    back = dense_gradient(network, activations["fc7"], activations["fc8"])
    return (*(activations[name] for name in KEPT), back, activations["logit"])


def slope(activation: Tensor) -> Tensor:
    """The derivative of the leaky rectifier whose output is `activation`."""
    return torch.where(activation > 0, 1.0, LEAKY_SLOPE)


def unpooled(g: Tensor, pooled_from: Tensor) -> Tensor:
    """The adjoint of 3 × 3 max-pooling.

    Args:
        g: `[B, C, T // 3, M // 3]` gradient of what was pooled.
        pooled_from: `[B, C, T, M]` what it was pooled from.

    Returns:
        `[B, C, T, M]`: each gradient where the largest was, 0 elsewhere and in the bins that no pool covers.
    """
    frames, bands = (POOL * size for size in g.shape[2:])
    tiled = pooled_from[:, :, :frames, :bands].unflatten(3, (-1, POOL)).unflatten(2, (-1, POOL))
    windows = tiled.transpose(3, 4).flatten(4)
    is_largest = torch.arange(POOL * POOL, device=g.device) == windows.argmax(dim=-1, keepdim=True)
    spread = torch.where(is_largest, g.unsqueeze(-1), 0.0).unflatten(4, (POOL, POOL))
    tiles = spread.transpose(3, 4).flatten(4, 5).flatten(2, 3)
    return F.pad(tiles, (0, pooled_from.shape[3] - bands, 0, pooled_from.shape[2] - frames))


def smoothed(relevance: Tensor) -> Tensor:
    """Each bin of `[B, T, M]` becomes the mean of the 9 × 7 around it, of those that exist at the edges."""
    margins = tuple(size // 2 for size in SMOOTHING)
    return F.avg_pool2d(relevance.unsqueeze(1), SMOOTHING, 1, margins, count_include_pad=False)[:, 0]


@torch.no_grad()
def gradient_graph(network: SVDNet, threshold: float) -> Graph:
    """The description of `gradient`; a probability above `threshold` is labelled `vocal`."""
    excerpt = torch.zeros(2, *EXCERPT)
    activations = network.activations(excerpt)
    layers = tuple(TensorSpec(name, tuple(activations[name].shape[1:])) for name in KEPT)
    return Graph(
        "gradient",
        GradientGraph(network, threshold),
        (*maps("excerpt"), *layers, TensorSpec(BACK, FC7_INPUT), *numbers("logit")),
        maps("relevance"),
        (excerpt, *asked(network, activations)),
    )
