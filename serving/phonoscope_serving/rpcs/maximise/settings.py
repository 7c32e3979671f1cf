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
from phonoscope_serving.rpcs.maximise.initial_state import read_initial_state
from phonoscope_serving.tensors import Array

OPTIMISER = "maximise"
ENTRY_POINTS = (OPTIMISER, "generated", "griffin_lim")
DIRECTIONS = ("maximise", "minimise")


@dataclass(frozen=True)
class MaximisationSettings:
    """How the objective is maximised."""

    steps: int
    learning_rate: float
    prior_weight: float  # λ of the paper's Eq. 2


@dataclass(frozen=True)
class Maximiser:
    """What can be maximised, and how it is by default."""

    channels: Mapping[str, int]  # layer → number of channels, in the order of the optimiser's weights
    map_sizes: Mapping[str, tuple[int, int]]  # layer that has maps → frames and bands
    latent: int  # dimensions of the generator's input
    initial_state: Mapping[str, Array]  # what fills a row's state but z, `[1, …]` each
    excerpt_samples: int  # of an example's sound
    defaults: Mapping[str, MaximisationSettings]  # direction → settings


def maximiser(bundle: Bundle) -> Maximiser | None:
    """None where the bundle has no generator.

    Raises:
        BundleError: its models or its manifest's `maximisation` are incomplete.
    """
    present = [name for name in ENTRY_POINTS if name in bundle.models]
    if not present:
        return None
    if missing := set(ENTRY_POINTS) - set(present):
        raise BundleError(f"{MANIFEST}: there is {present[0]}, but no model {', '.join(sorted(missing))}")
    channels = _channels(bundle.models, OPTIMISER)
    maximised = next((each for each in bundle.listeners if each.can_be_maximised), None)
    if maximised is None:
        raise BundleError(f"{MANIFEST}: there is {present[0]}, but every listener has a suffix")
    shapes = {layer.name: layer.shape for layer in maximised.layers}
    entry = field(bundle.manifest, "maximisation", dict)
    return Maximiser(
        channels=channels,
        map_sizes={
            name: (shapes[name][1], shapes[name][2]) for name in channels if name in shapes and len(shapes[name]) == 3
        },
        latent=next(int(tensor.dims[0]) for tensor in bundle.models[OPTIMISER].input if tensor.name == "z"),
        initial_state=read_initial_state(bundle.models[OPTIMISER]),
        excerpt_samples=maximised.front_end.excerpt_samples,
        defaults={direction: _settings(field(entry, direction, dict), direction) for direction in DIRECTIONS},
    )


def _channels(models: Mapping[str, ModelConfig], model: str) -> dict[str, int]:
    pairs = [part.partition(":") for part in parameter(models, model, "channels").split(",")]
    if not all(count.isdecimal() and int(count) for _, _, count in pairs):
        raise BundleError(f"{model}/{CONFIG}: parameter channels must be LAYER:NUMBER, between commas")
    return {layer: int(count) for layer, _, count in pairs}


def _settings(document: Mapping[str, Any], direction: str) -> MaximisationSettings:
    steps = field(document, "steps", int)
    rate, weight = (float(field(document, name, (int, float))) for name in ("learning_rate", "prior_weight"))
    if steps < 0 or not (math.isfinite(rate) and rate > 0) or not (math.isfinite(weight) and weight >= 0):
        raise BundleError(
            f"{MANIFEST}: maximisation.{direction} must have steps and prior_weight of 0 or more, rate above"
        )
    return MaximisationSettings(steps, rate, weight)
