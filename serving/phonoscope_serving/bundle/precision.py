"""In what precision a bundle's graphs may be run, and how far from the golden vectors that may lead.

A graph whose `config.pbtxt` has the parameter `precision` says so itself: `any`, or `float32`. Of one that has none, a
graph may be reduced that is part of a network: it takes nothing but what a front-end has standardised, and what a
listener's network makes of that. What makes sound or hears it, cuts regions at a threshold, exchanges, decides on a
label or ascends stays exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.bundle.config import CONFIG, ModelConfig
from phonoscope_serving.bundle.manifest import MANIFEST, field
from phonoscope_serving.errors import BundleError

Precision = Literal["float32", "bfloat16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)

ANY, EXACT = "any", "float32"  # what a graph's parameter may say
PARAMETER = "precision"
# What a network is given, and which frames of it, beside the outputs of a listener's network.
EXCERPT, LAYERS = "excerpt", "layers"
NETWORK_INPUTS = frozenset({EXCERPT, "standardised", "activation", "silence_before", "silence_after", "first"})
SOUND = frozenset({"log_mel", "audio"})  # what gives these may be listened to or looked at, and is never reduced


@dataclass(frozen=True)
class Tolerance:
    """How far numbers may be from the golden ones.

    All far below what a wrong graph gives. Of the bins of a map some may be quite others: a last bit decides whether
    one as relevant as alpha lies inside the region.
    """

    number: float  # of a probability, or of an error, which is about as large
    spread: float  # of a map: of its mean distance from its mean
    size: float  # likewise, of its mean magnitude


# Where the manifest's `tolerances` say nothing else. That of float32 is far above rounding on any device, and holds
# along whole ensembles; that of others holds of one graph, beside the same graph in float32.
TOLERANCES: Mapping[Precision, Tolerance] = {
    "float32": Tolerance(number=0.01, spread=0.05, size=0.01),
    "bfloat16": Tolerance(number=0.02, spread=0.1, size=0.02),
}


def tolerance(bundle: Bundle, precision: Precision) -> Tolerance:
    """How far from a bundle's golden vectors a precision may lead.

    Raises:
        BundleError: the manifest's `tolerances` are malformed.
    """
    stated: dict[str, Any] = field({"tolerances": {}} | dict(bundle.manifest), "tolerances", dict)
    if precision not in stated:
        return TOLERANCES[precision]
    said = field(stated, precision, dict)
    numbers = {name: field(said, name, (int, float)) for name in ("number", "spread", "size")}
    if not all(0 < number < 1 for number in numbers.values()):
        raise BundleError(f"{MANIFEST}: tolerances of {precision} must lie between 0 and 1")
    return Tolerance(**numbers)


def reducible(bundle: Bundle) -> frozenset[str]:
    """The graphs of a bundle that may be run in less than float32.

    Raises:
        BundleError: a graph's `precision` is neither `any` nor `float32`.
    """
    networks = [config for config in bundle.models.values() if LAYERS in config.parameters and _takes(config, EXCERPT)]
    made = frozenset(output.name for config in networks for output in config.output)
    given = (NETWORK_INPUTS | made) - {"probability"}  # a label is decided by that
    return frozenset(name for name, config in bundle.models.items() if _may_be_reduced(config, given))


def _takes(config: ModelConfig, name: str) -> bool:
    return any(tensor.name == name for tensor in config.input)


def _may_be_reduced(config: ModelConfig, given: frozenset[str]) -> bool:
    if config.HasField("ensemble_scheduling"):
        return False
    if PARAMETER in config.parameters:
        said: str = config.parameters[PARAMETER].string_value
        if said not in (ANY, EXACT):
            raise BundleError(f"{config.name}/{CONFIG}: parameter {PARAMETER} is {said!r}, not {ANY} or {EXACT}")
        return said == ANY
    return {tensor.name for tensor in config.input} <= given and SOUND.isdisjoint(o.name for o in config.output)
