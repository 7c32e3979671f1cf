"""The networks of a bundle whose features can be heard, as the models themselves describe them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.bundle.config import CONFIG, parameter, read_front_end
from phonoscope_serving.bundle.front_end import FrontEnd
from phonoscope_serving.bundle.listeners.decision import Decision
from phonoscope_serving.errors import BundleError

TAGGER, TAGGERS = "tagger", "auralise"  # a listener, and its ensemble; others' have their names behind
ROW_OUTPUTS = ("heard", "chosen", "strength")  # of every ensemble that makes features heard, beside its own


@dataclass(frozen=True)
class AudibleNetwork:
    """A network, and the ensemble that makes its features heard."""

    name: str
    ensemble: str
    given: str  # the output that holds what the network is given
    probability: str  # the output that holds what it says, `[K]` of its decision
    front_end: FrontEnd
    layers: Mapping[str, int]  # name → number of features; first to deepest
    decision: Decision

    @property
    def labels(self) -> tuple[str, ...]:
        """What each of its probabilities is of."""
        return self.decision.labels[: self.decision.count]


def audible_networks(bundle: Bundle) -> dict[str, AudibleNetwork]:
    """By name; none where the bundle cannot make features heard.

    Raises:
        BundleError: an ensemble is there, but not what it speaks of.
    """
    found: dict[str, AudibleNetwork] = {}
    # A bundle of before has a tagger that is no listener.
    if TAGGERS in bundle.models and TAGGER not in [each.name for each in bundle.listeners]:
        labels = tuple(parameter(bundle.models, "deconvnet_tagger", "labels").split(","))
        front_end, layers = read_front_end(bundle.models, "tagger_frontend"), _layers(bundle, "deconvnet_tagger")
        decision = Decision("multi-class", labels)
        found[TAGGER] = AudibleNetwork(TAGGER, TAGGERS, *_outputs(bundle, TAGGERS), front_end, layers, decision)
    for listener in sorted(bundle.listeners, key=lambda each: each.name != TAGGER):
        ensemble = TAGGERS if listener.name == TAGGER else f"{TAGGERS}_{listener.name}"
        if ensemble in bundle.models:
            layers = _layers(bundle, f"deconvnet_{listener.name}")
            named = _outputs(bundle, ensemble)
            found[listener.name] = AudibleNetwork(
                listener.name, ensemble, *named, listener.front_end, layers, listener.decision
            )
    for network in found.values():
        made = {output.name for output in bundle.models[network.ensemble].output}
        if missing := {network.given, network.probability, "audio", *ROW_OUTPUTS} - made:
            raise BundleError(f"{network.ensemble}/{CONFIG}: there is no output {', '.join(sorted(missing))}")
    return found


def _outputs(bundle: Bundle, ensemble: str) -> tuple[str, str]:
    """What an ensemble calls that which the network is given, and what it says."""
    made = {output.name for output in bundle.models[ensemble].output}
    given = "magnitude" if "magnitude" in made else "standardised"
    return given, "class_probability" if "class_probability" in made else "probability"


def _layers(bundle: Bundle, model: str) -> dict[str, int]:
    names, widths = (parameter(bundle.models, model, name).split(",") for name in ("layers", "features"))
    if len(names) != len(widths) or not all(width.isdecimal() and int(width) for width in widths):
        raise BundleError(f"{model}/{CONFIG}: parameter features must be a whole number above 0 for each of layers")
    return dict(zip(names, map(int, widths), strict=True))
