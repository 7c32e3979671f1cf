"""The layers of a listener, and how well those that can be inverted are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from phonoscope_serving.bundle.config import CONFIG, ModelConfig, parameter
from phonoscope_serving.bundle.manifest import MANIFEST, field, quantiles
from phonoscope_serving.errors import BundleError
from phonoscope_serving.tensors import Floats

INVERSION_ENTRY_POINTS = ("invert_layers", "sonify")  # the models called where layers can be inverted


@dataclass(frozen=True)
class Layer:
    """One layer of a listener, and its shape for one excerpt."""

    name: str
    shape: tuple[int, ...]


def read_layers(models: Mapping[str, ModelConfig], network: str) -> tuple[Layer, ...]:
    """The layers of a network, first to last; none of one that nobody can open.

    Raises:
        BundleError: one of those it lists is none of its outputs.
    """
    shapes = {output.name: tuple(output.dims) for output in models[network].output}
    if "layers" not in models[network].parameters:
        return ()
    names = [name.strip() for name in parameter(models, network, "layers").split(",")]
    if unknown := [name for name in names if name not in shapes]:
        raise BundleError(f"{network}/{CONFIG}: no output for layer {', '.join(unknown)}")
    return tuple(Layer(name, shapes[name]) for name in names)


def inverted_output(layer: str) -> str:
    """The output of `invert_layers` that holds a layer's inversion."""
    return f"inverted_{layer}"


def error_output(layer: str) -> str:
    """The output of `invert_layers` that holds a layer's normalised reconstruction error."""
    return f"reconstruction_error_{layer}"


def read_inversion_error_quantiles(
    manifest: Mapping[str, Any], models: Mapping[str, ModelConfig], layers: Sequence[Layer], suffix: str
) -> dict[str, Floats]:
    """The quantiles `[101]` of every layer that can be inverted, first to last; none without inverters.

    Raises:
        BundleError: they are not those of the layers that `invert_layers` inverts, or a model or an output is missing.
    """
    inverting, sounding = needed = [f"{name}{suffix}" for name in INVERSION_ENTRY_POINTS]
    present = [name for name in needed if name in models]
    if not present:
        return {}
    if missing := {inverting, sounding} - set(present):
        raise BundleError(f"{MANIFEST}: there is {present[0]}, but no model {missing.pop()}")
    name = "inversion_error_quantiles"
    given = field(manifest, name, dict)
    made = {output.name for output in models[inverting].output}
    inverted = [layer.name for layer in layers if inverted_output(layer.name) in made]
    if set(given) != set(inverted):
        raise BundleError(f"{MANIFEST}: {name} must be of {', '.join(inverted)}, the layers {inverting} inverts")
    if missing := {error_output(layer) for layer in inverted} - made:
        raise BundleError(f"{inverting}/{CONFIG}: there is no output {', '.join(sorted(missing))}")
    return {layer: quantiles(field(given, layer, list), f"{name}.{layer}") for layer in inverted}
