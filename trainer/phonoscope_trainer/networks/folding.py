"""Batch normalisation folded into the convolutions it follows: the same function in use, without its statistics."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

NORM = "_norm"  # the normalisation of the convolution NAME is called NAME_norm


def folded_state(network: nn.Module, normalised: Iterable[str]) -> dict[str, Tensor]:
    """The parameters of `network` without its normalisations, those of the convolutions `normalised` multiplied in."""
    state = {name: value for name, value in network.state_dict().items() if f"{NORM}." not in name}
    for name in normalised:
        norm = network.get_submodule(f"{name}{NORM}")
        assert isinstance(norm, nn.BatchNorm2d)
        assert norm.running_var is not None
        assert norm.running_mean is not None
        gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        state[f"{name}.weight"] = state[f"{name}.weight"] * gain[:, None, None, None]
        state[f"{name}.bias"] = (state[f"{name}.bias"] - norm.running_mean) * gain + norm.bias
    return {name: value.detach() for name, value in state.items()}
