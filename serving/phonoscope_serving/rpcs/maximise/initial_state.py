"""The state in which a row of the optimiser begins, as its model says it; what it means, the graph alone knows."""

from __future__ import annotations

import numpy as np

from phonoscope_serving.bundle.config import CONFIG, ModelConfig, parameter
from phonoscope_serving.engines.signature import Signature
from phonoscope_serving.errors import BundleError
from phonoscope_serving.tensors import Array

PARAMETER = "initial_state"
POINT = "z"  # the input that holds the point itself
NEXT = "next_"  # begins the name of the output that holds what an input of a row's state has become


def read_initial_state(config: ModelConfig) -> dict[str, Array]:
    """What fills each input of a row's state but the point `z`, `[1, …]` of the input's own type.

    Args:
        config: of the model; its outputs `next_NAME` tell what its state is, its parameter `initial_state` gives
            `NAME:NUMBER` for each part of it, between commas.

    Raises:
        BundleError: the parameter is missing, or does not give each number once.
    """
    signature = Signature.of(config)
    state = [name for name in signature.inputs if f"{NEXT}{name}" in signature.outputs and name != POINT]
    text = parameter({config.name: config}, config.name, PARAMETER)
    pairs = [(name, number) for name, _, number in (part.partition(":") for part in text.split(","))]
    if sorted(name for name, _ in pairs) != sorted(state):
        raise _malformed(config, f"must give NAME:NUMBER once for each of {', '.join(state)}")
    return {name: _filled(config, signature, name, number) for name, number in pairs}


def _filled(config: ModelConfig, signature: Signature, name: str, text: str) -> Array:
    dtype, dims = signature.inputs[name]
    wrong = _malformed(config, f"gives {text!r} for {name}; it must be a number of type {dtype}")
    try:
        number = dtype.type(int(text) if dtype.kind == "i" else float(text))
    except (OverflowError, ValueError):
        raise wrong from None
    if np.isnan(number):
        raise wrong
    return np.full((1, *dims), number)


def _malformed(config: ModelConfig, what: str) -> BundleError:
    return BundleError(f"{config.name}/{CONFIG}: parameter {PARAMETER} {what}")
