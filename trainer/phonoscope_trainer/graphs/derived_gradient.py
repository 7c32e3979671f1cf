"""The gradient of any torch network as a graph, derived: nobody writes it.

ONNX has no differentiation. So the network's vector-Jacobian product is traced in PyTorch, operator by operator, with
the backward operators taken apart into those that ONNX has (`backward_operators`); what remains is an ordinary module
that computes forwards, then backwards, and exports like any other.
"""

from __future__ import annotations

import copy
import itertools
import warnings

import torch
from torch import Tensor, fx, nn
from torch._decomp import core_aten_decompositions  # documented for exactly this, in a module that begins with a dash
from torch.fx.experimental.proxy_tensor import make_fx

from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.graphs.asked_label import ASKED, AskedLabel
from phonoscope_trainer.graphs.backward_operators import BACKWARD
from phonoscope_trainer.graphs.description import Graph, TensorSpec
from phonoscope_trainer.graphs.gradient import SMALLEST, smoothed


def derived_gradient(network: nn.Module, example: Tensor) -> fx.GraphModule:
    """A module `(x [B, …], weights [B, L]) → [B, …]`: the gradient of `(weights · network(x)).sum()` with respect to x.

    A row of `weights` that is 1 for one label asks about it; with −1 for another, about the contrast of the two.

    Args:
        network: `[B, …]` to `[B, L]`, in evaluation mode; what it computes must not depend on numbers it computed.
        example: `[B, …]` that says the shapes: the batch axis stays free, the others are fixed.

    Raises:
        ExportError: the network holds what cannot be traced or differentiated with these operators.
    """
    constant = copy.deepcopy(network).requires_grad_(requires_grad=False)

    def pulled_back(x: Tensor, weights: Tensor) -> Tensor:
        _, pull = torch.func.vjp(constant, x)
        gradient: Tensor = pull(weights)[0]
        return gradient

    decompositions = {**core_aten_decompositions(), **BACKWARD}
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the tracer's notes about its own internals
            one = torch.zeros_like(example[:1])
            answer = constant(one)
            # The tracer takes axes of one size for one axis, so the batch gets a size that nothing else has.
            rows = next(size for size in itertools.count(2) if size not in {*one.shape, *answer.shape})
            trace = make_fx(pulled_back, dict(decompositions), tracing_mode="symbolic", _allow_non_fake_inputs=True)
            return trace(one.expand(rows, *one.shape[1:]).clone(), answer.expand(rows, -1).clone())
    except Exception as error:
        raise ExportError(f"gradient: the network's cannot be derived: {error}") from error


class DerivedRule(nn.Module):
    """The rule `gradient` of any network: smoothed gradient × input, as `GradientGraph` has it for the detector."""

    baseline: Tensor

    def __init__(self, network: nn.Module, example: Tensor, baseline: Tensor, labels: int) -> None:
        super().__init__()
        self.gradient = derived_gradient(network, example)
        self.asked = AskedLabel(labels)
        self.register_buffer("baseline", baseline, persistent=False)

    def forward(self, excerpt: Tensor, label: Tensor, contrast: Tensor) -> Tensor:
        """`relevance` `[B, T, F]` between 0 and 1: above ½ what speaks for the label, rather than for the contrast.

        Args:
            excerpt: `[B, T, F]` what the network is given.
            label: int32 `[B, 1]`, and so on as in `AskedLabel`.
            contrast: int32 `[B, 1]`.
        """
        speaks_for = smoothed((excerpt - self.baseline) * self.gradient(excerpt, self.asked(label, contrast)))
        largest = speaks_for.abs().amax(dim=(1, 2), keepdim=True)
        return 0.5 + 0.5 * speaks_for / torch.clamp(largest, min=SMALLEST)


def derived_rule_graph(name: str, network: nn.Module, example: Tensor, baseline: Tensor | None = None) -> Graph:
    """The description of the rule `gradient` of a network that is given pictures.

    Args:
        name: the graph's.
        network: `[B, T, F]` to log-odds `[B, K]`, in evaluation mode; K is 1 where there are two labels.
        example: `[B, T, F]` that says the shapes.
        baseline: `[F]` what says nothing, such as each band's mean; zeros unless given.

    Raises:
        ExportError: see `derived_gradient`.
    """
    with torch.no_grad():
        answers = network(example).shape[1]
    picture = tuple(example.shape[1:])
    nothing = torch.zeros(picture[-1]) if baseline is None else baseline
    return Graph(
        name,
        DerivedRule(network, example, nothing, answers),
        (TensorSpec("excerpt", picture), *ASKED),
        (TensorSpec("relevance", picture),),
        (torch.zeros(2, *picture), *(torch.zeros(2, 1, dtype=torch.int32) for _ in ASKED)),
    )
