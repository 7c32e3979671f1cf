"""What a bundle can maximise, as its models and its manifest describe it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.bundle.config import CONFIG, ModelConfig, parameter
from phonoscope_serving.bundle.manifest import MANIFEST, field
from phonoscope_serving.errors import BundleError

CLIMBER = "maximise"
ENTRY_POINTS = (CLIMBER, "generated", "griffin_lim")
DIRECTIONS = ("maximise", "minimise")


@dataclass(frozen=True)
class AscentSettings:
    """How the objective is climbed."""

    steps: int
    learning_rate: float
    prior_weight: float  # λ of the paper's Eq. 2


@dataclass(frozen=True)
class Ascents:
    """What can be maximised, and how it is by default."""

    channels: Mapping[str, int]  # layer → number of channels, in the order of the ascent's weights
    map_sizes: Mapping[str, tuple[int, int]]  # layer that has maps → frames and bands
    latent: int  # dimensions of the generator's input
    excerpt_samples: int  # of an example's sound
    defaults: Mapping[str, AscentSettings]  # direction → settings


def ascents(bundle: Bundle) -> Ascents | None:
    """None where the bundle has no generator.

    Raises:
        BundleError: its models or its manifest's `maximisation` are incomplete.
    """
    present = [name for name in ENTRY_POINTS if name in bundle.models]
    if not present:
        return None
    if missing := set(ENTRY_POINTS) - set(present):
        raise BundleError(f"{MANIFEST}: there is {present[0]}, but no model {', '.join(sorted(missing))}")
    channels = _channels(bundle.models, CLIMBER)
    shapes = {layer.name: layer.shape for layer in bundle.layers}
    entry = field(bundle.manifest, "maximisation", dict)
    return Ascents(
        channels=channels,
        map_sizes={
            name: (shapes[name][1], shapes[name][2]) for name in channels if name in shapes and len(shapes[name]) == 3
        },
        latent=next(int(tensor.dims[0]) for tensor in bundle.models[CLIMBER].input if tensor.name == "z"),
        excerpt_samples=bundle.front_end.excerpt_samples,
        defaults={direction: _settings(field(entry, direction, dict), direction) for direction in DIRECTIONS},
    )


def _channels(models: Mapping[str, ModelConfig], model: str) -> dict[str, int]:
    pairs = [part.partition(":") for part in parameter(models, model, "channels").split(",")]
    if not all(count.isdecimal() and int(count) for _, _, count in pairs):
        raise BundleError(f"{model}/{CONFIG}: parameter channels must be LAYER:NUMBER, between commas")
    return {layer: int(count) for layer, _, count in pairs}


def _settings(document: Mapping[str, Any], direction: str) -> AscentSettings:
    steps = field(document, "steps", int)
    rate, weight = (float(field(document, name, (int, float))) for name in ("learning_rate", "prior_weight"))
    if steps < 0 or not (math.isfinite(rate) and rate > 0) or not (math.isfinite(weight) and weight >= 0):
        raise BundleError(
            f"{MANIFEST}: maximisation.{direction} must have steps and prior_weight of 0 or more, rate above"
        )
    return AscentSettings(steps, rate, weight)
