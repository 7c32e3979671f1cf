"""What a feature inverter is trained to make small (Mishra et al., ISMIR 2018, Eq. 2 and 3).

    Ψ = λ_input · ‖x − x̂‖² + λ_feature · ‖Θ(x) − Θ(x̂)‖² · dim x / dim Θ(x)

Θ is the comparator: the detector up to one of its layers. The gradient of the second term reaches the inverter through
it. M_joint minimises both terms, M_input the first alone; the weights' own β‖w‖² is left to the optimiser.

The ratio of dimensions, 9200 / 44352 for Conv5, is not in the paper's equation: with it a λ of 1 each makes one bin of
the excerpt count as much as one feature. Without it the features count three times what the excerpt does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from phonoscope_trainer.networks.svdnet import SVDNet

LEAST_NORM = 10.0  # of an excerpt; that of a usual one is about 70

Method = Literal["joint", "input"]
METHODS: tuple[Method, ...] = get_args(Method)


@dataclass(frozen=True, slots=True)
class Heard:
    """Excerpts, and everything the detector makes of them: computed once for all inverters."""

    excerpts: Tensor  # [B, T, M], standardised
    activations: Mapping[str, Tensor]  # layer → [B, …]

    def parts(self, count: int, rows: int) -> Iterator[Heard]:
        """The first `count` parts of `rows` excerpts."""
        for first in range(0, count * rows, rows):
            part = slice(first, first + rows)
            yield Heard(self.excerpts[part], {layer: values[part] for layer, values in self.activations.items()})


@torch.no_grad()
def hear(excerpts: Tensor, network: SVDNet) -> Heard:
    """One pass of the detector over standardised `excerpts` `[B, T, M]`."""
    return Heard(excerpts, network.activations(excerpts))


def representation(excerpts: Tensor, network: SVDNet, layer: str) -> Tensor:
    """Θ: the activation of one layer, computed no further than it is needed, and differentiable."""
    return next(activation for name, activation in network.stages(excerpts) if name == layer)


def row_weights(excerpts: Tensor) -> Tensor:
    """`[B]` one over the norm of each of standardised `excerpts` `[B, T, M]`: what a sketch and its network count it.

    Inversions are judged by their distance. By its square a few excerpts of near silence, many standard deviations
    below all others, would decide what a picture of few features shows.
    """
    weights: Tensor = 1 / torch.linalg.vector_norm(excerpts.flatten(1), dim=1).clamp(min=LEAST_NORM)
    return weights


def objective(
    inverted: Tensor,
    heard: Heard,
    network: SVDNet,
    comparator: str,
    weights: tuple[float, float],
    rows: Tensor | None = None,
) -> Tensor:
    """Ψ, a scalar: averaged over the excerpts; at least float32.

    Args:
        inverted: `[B, T, M]` x̂.
        heard: x, and Θ(x) among its activations.
        network: the detector.
        comparator: the convolutional layer that is Θ.
        weights: λ_input and λ_feature; where the second is 0 the comparator does not run.
        rows: `[B]` how much each excerpt counts; all alike unless given.
    """
    input_weight, feature_weight = weights
    error = input_weight * _mean_square(heard.excerpts, inverted)
    if feature_weight:
        features = representation(inverted, network, comparator)
        error = error + feature_weight * _mean_square(heard.activations[comparator], features)
    mean = error.mean() if rows is None else torch.sum(rows * error) / rows.sum()
    return mean * inverted[0].numel()


def _mean_square(one: Tensor, other: Tensor) -> Tensor:
    """`[B]` of each excerpt."""
    wide = torch.promote_types(one.dtype, torch.float32)  # bfloat16 sums would round small differences away
    return torch.mean((one.to(wide) - other.to(wide)) ** 2, dim=tuple(range(1, one.ndim)))
