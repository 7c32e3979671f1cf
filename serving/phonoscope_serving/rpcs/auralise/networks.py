"""The networks of a bundle whose features can be heard, as the models themselves describe them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.bundle.config import CONFIG, parameter, read_front_end
from phonoscope_serving.bundle.front_end import FrontEnd
from phonoscope_serving.errors import BundleError

ROW_OUTPUTS = ("heard", "chosen", "strength")  # of every ensemble that makes features heard, beside its own


@dataclass(frozen=True)
class AudibleNetwork:
    """A network, and the ensemble that makes its features heard."""

    name: str
    ensemble: str
    given: str  # the output that holds what the network is given
    probability: str  # the output that holds what it says, one number a label
    front_end: FrontEnd
    layers: Mapping[str, int]  # name → number of features; first to deepest
    labels: tuple[str, ...]


def audible_networks(bundle: Bundle) -> dict[str, AudibleNetwork]:
    """By name; none where the bundle cannot make features heard.

    Raises:
        BundleError: an ensemble is there, but not what it speaks of.
    """
    found: dict[str, AudibleNetwork] = {}
    if "auralise" in bundle.models:
        front_end = read_front_end(bundle.models, "tagger_frontend")
        labels = tuple(parameter(bundle.models, "deconvnet_tagger", "labels").split(","))
        layers = _layers(bundle, "deconvnet_tagger")
        found["tagger"] = AudibleNetwork(
            "tagger", "auralise", "magnitude", "class_probability", front_end, layers, labels
        )
    if "auralise_detector" in bundle.models:
        layers = _layers(bundle, "deconvnet_detector")
        found["detector"] = AudibleNetwork(
            "detector", "auralise_detector", "standardised", "probability", bundle.front_end, layers, ("vocal",)
        )
    for network in found.values():
        made = {output.name for output in bundle.models[network.ensemble].output}
        if missing := {network.given, network.probability, "audio", *ROW_OUTPUTS} - made:
            raise BundleError(f"{network.ensemble}/{CONFIG}: there is no output {', '.join(sorted(missing))}")
    return found


def _layers(bundle: Bundle, model: str) -> dict[str, int]:
    names, widths = (parameter(bundle.models, model, name).split(",") for name in ("layers", "features"))
    if len(names) != len(widths) or not all(width.isdecimal() and int(width) for width in widths):
        raise BundleError(f"{model}/{CONFIG}: parameter features must be a whole number above 0 for each of layers")
    return dict(zip(names, map(int, widths), strict=True))
