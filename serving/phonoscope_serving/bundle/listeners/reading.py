"""The listeners that a manifest describes.

One whose models have no suffix is described by the manifest itself, as bundles always were; one with a suffix by its
entry in `listeners`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from phonoscope_serving.bundle.config import CONFIG, ModelConfig, read_front_end
from phonoscope_serving.bundle.doubt import read_doubt_quantiles
from phonoscope_serving.bundle.exchange import read_exchange_bank
from phonoscope_serving.bundle.front_end import FrontEnd
from phonoscope_serving.bundle.layers import read_inversion_error_quantiles, read_layers
from phonoscope_serving.bundle.listeners.decision import KINDS, Decision
from phonoscope_serving.bundle.listeners.listener import Listener
from phonoscope_serving.bundle.manifest import MANIFEST, field, quantiles
from phonoscope_serving.bundle.rules import read_rules
from phonoscope_serving.errors import BundleError

ENTRY = "listeners"
# Of bundles that were made before they held several.
DETECTOR = {
    "name": "detector",
    "suffix": "",
    "network": "detector",
    "frontend": "frontend",
    "decision": "binary",
    "labels": ["vocal", "instrumental"],
}
OWN = ("evidence", "masked", "predict")  # models without which there is nothing to serve, beside its rules'
HEARD = "heard"
ERRORS = "reconstruction_error_quantiles"


def read_listeners(manifest: Mapping[str, Any], models: Mapping[str, ModelConfig]) -> tuple[Listener, ...]:
    """Every listener of a bundle, the one that is asked by default first.

    Raises:
        BundleError: there is none, two have one name, or what one of them needs is missing or contradicts itself.
    """
    entries = field(manifest, ENTRY, list) if ENTRY in manifest else [DETECTOR]
    listeners = tuple(_listener(entry, manifest, models) for entry in entries)
    for what in ("name", "suffix"):
        if len({getattr(each, what) for each in listeners}) < max(1, len(listeners)):
            raise BundleError(f"{MANIFEST}: {ENTRY} must be at least one, each with a {what} of its own")
    return listeners


def _listener(entry: object, manifest: Mapping[str, Any], models: Mapping[str, ModelConfig]) -> Listener:
    if not isinstance(entry, dict):
        raise BundleError(f"{MANIFEST}: {ENTRY} must hold objects")
    name, suffix, network, frontend = (field(entry, each, str) for each in ("name", "suffix", "network", "frontend"))
    needed = {network, frontend, *(f"{each}{suffix}" for each in OWN)}
    if missing := needed - models.keys():
        raise BundleError(f"{MANIFEST}: there is a listener {name}, but no model {', '.join(sorted(missing))}")
    said = entry if suffix else manifest
    layers, rules = read_layers(models, network), read_rules(said, models, suffix)
    decision = _decision(entry, said)
    _check_probabilities(models, [f"predict{suffix}", *(rule.ensemble for rule in rules)], decision)
    return Listener(
        name=name,
        suffix=suffix,
        frontend=frontend,
        decision=decision,
        front_end=_front_end(models, frontend),
        layers=layers,
        rules=rules,
        exchange=read_exchange_bank(said, models, suffix),
        doubt_quantiles=read_doubt_quantiles(said, models, rules),
        reconstruction_error_quantiles=(
            quantiles(field(said, ERRORS, list), ERRORS) if any(rule.inverts for rule in rules) else None
        ),
        inversion_error_quantiles=read_inversion_error_quantiles(said, models, layers, suffix),
        predict_hop_frames=_hop(entry, models[f"predict{suffix}"]),
        is_heard=f"{HEARD}{suffix}" in models,
    )


def _decision(entry: Mapping[str, Any], said: Mapping[str, Any]) -> Decision:
    kind, labels = field(entry, "decision", str), tuple(field(entry, "labels", list))
    if kind not in KINDS:
        raise BundleError(f"{MANIFEST}: decision is {kind!r}; it must be one of {', '.join(KINDS)}")
    if len(labels) < 2 or len(set(labels)) < len(labels) or not all(isinstance(each, str) and each for each in labels):
        raise BundleError(f"{MANIFEST}: labels must be two names or more, each once")
    match kind:
        case "binary":
            if len(labels) > 2:
                raise BundleError(f"{MANIFEST}: labels are {len(labels)}; of a binary decision there are two")
            return Decision("binary", labels, (_threshold(field(said, "threshold", (int, float)), "threshold"),))
        case "multi-label":
            given = field(said, "thresholds", list)
            if len(given) != len(labels):
                raise BundleError(f"{MANIFEST}: thresholds are {len(given)} for {len(labels)} labels")
            return Decision("multi-label", labels, tuple(_threshold(each, "thresholds") for each in given))
    return Decision("multi-class", labels)


def _threshold(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:  # NaN is neither
        raise BundleError(f"{MANIFEST}: {name} is {value}; it must lie between 0 and 1")
    return float(value)


def _front_end(models: Mapping[str, ModelConfig], frontend: str) -> FrontEnd:
    front_end = read_front_end(models, frontend)
    # What pads a sound at its ends hears a frame more or so of it.
    takes_any = next(-1 in tensor.dims for tensor in models[frontend].input)
    if takes_any and front_end.samples(front_end.excerpt_frames) != front_end.excerpt_samples:
        raise BundleError(f"{frontend}/{CONFIG}: excerpt_samples is not what excerpt_frames frames span")
    return front_end


def _hop(entry: Mapping[str, Any], predict: ModelConfig) -> int | None:
    """From one excerpt of a curve to the next, where `predict` hears excerpts; else None."""
    samples = next(tensor for tensor in predict.input if tensor.name == "samples")
    if -1 in samples.dims:
        return None
    hop: int = field(entry, "predict_hop_frames", int)
    if hop < 1:
        raise BundleError(f"{MANIFEST}: predict_hop_frames is {hop}; it must be 1 or more")
    return hop


def _check_probabilities(models: Mapping[str, ModelConfig], names: list[str], decision: Decision) -> None:
    for name in names:
        dims = next((list(tensor.dims) for tensor in models[name].output if tensor.name == "probability"), None)
        if dims not in ([decision.count], [-1]):
            raise BundleError(f"{name}/{CONFIG}: there is no output probability [{decision.count}]")
