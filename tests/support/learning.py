"""Whether a network learns, asked in a way that neither rounding nor luck decides."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

SHARE = 0.5  # of the steepest descent that steps as large as the largest one taken could make
SHORTEST = 12  # halvings of the step, until the slope at its beginning decides


def assert_learns(network: nn.Module, loss: Callable[[], Tensor], update: Callable[[], object]) -> None:
    """`update` moves the weights of `network` against the gradient of `loss`, and on that way there is a smaller loss.

    Whether a whole step, or several, make it smaller depends on the rate and on rounding; the slope does not.

    Args:
        network: what learns; `update` changes its weights in place. It is left as it was updated.
        loss: a scalar of its weights, the same whenever they are; 64-bit where it can be.
        update: one step of the optimiser.
    """
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    gradient = torch.autograd.grad(loss(), weights)
    start, begun = loss().item(), copy.deepcopy(network.state_dict())
    before = [weight.detach().clone() for weight in weights]
    update()
    moves = [weight.detach() - then for weight, then in zip(weights, before, strict=True)]
    updated = copy.deepcopy(network.state_dict())
    largest = max(float(move.abs().max()) for move in moves)
    slope = sum(float((g * move).sum()) for g, move in zip(gradient, moves, strict=True))
    steepest = largest * sum(float(g.abs().sum()) for g in gradient)
    assert slope < -SHARE * steepest < 0, f"the step's slope is {slope:.3g}, where {-steepest:.3g} was possible"
    reached = []
    for halvings in range(SHORTEST + 1):
        network.load_state_dict(begun)
        with torch.no_grad():
            for weight, then, move in zip(weights, before, moves, strict=True):
                weight.copy_(then + move / 2**halvings)
            reached.append(loss().item())
    network.load_state_dict(updated)
    assert min(reached) < start, f"from {start} to {reached}"
