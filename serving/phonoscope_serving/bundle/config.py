"""`config.pbtxt` of a model, as Triton reads it, and what its parameters say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from phonoscope_serving.bundle.front_end import FrontEnd
from phonoscope_serving.errors import BundleError

ModelConfig = Any  # tritonclient's inference.ModelConfig, which ships without types
CONFIG = "config.pbtxt"


def parameter(models: Mapping[str, ModelConfig], model: str, name: str) -> str:
    """A parameter in a model's configuration.

    Raises:
        BundleError: it is missing or empty, or there is no such model.
    """
    present = model in models and name in models[model].parameters
    text: str = models[model].parameters[name].string_value if present else ""
    if not text:
        raise BundleError(f"{model}/{CONFIG}: parameter {name} is missing")
    return text


def read_front_end(models: Mapping[str, ModelConfig], model: str) -> FrontEnd:
    """What a front-end's configuration says it makes of sound.

    Raises:
        BundleError: a parameter is missing or no number.
    """

    def number(name: str) -> int:
        text = parameter(models, model, name)
        if not text.isdecimal() or int(text) == 0:
            raise BundleError(f"{model}/{CONFIG}: parameter {name} must be a whole number above 0, not {text!r}")
        return int(text)

    names = ("sample_rate_hz", "frame_samples", "hop_samples", "excerpt_frames", "excerpt_samples")
    try:
        centres = tuple(float(hz) for hz in parameter(models, model, "band_centre_hz").split(","))
    except ValueError as error:
        raise BundleError(f"{model}/{CONFIG}: parameter band_centre_hz: {error}") from error
    return FrontEnd(**{name: number(name) for name in names}, band_centre_hz=centres)
