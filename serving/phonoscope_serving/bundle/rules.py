"""The rules of explanation that a bundle offers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from phonoscope_serving.bundle.config import CONFIG, ModelConfig
from phonoscope_serving.bundle.manifest import MANIFEST, field
from phonoscope_serving.errors import BundleError

EVIDENCE = "evidence"  # the model that tries a region of a relevance that is known
CONTROL = re.compile(r"control_\d+_probability")
CONTROL_REGIONS = "control_regions"  # the output that holds the random regions themselves
LABEL, CONTRAST = "label", "contrast"  # inputs of what is told which label is explained, by number; no contrast: -1
KNOWN = ("log_mel", "standardised", "relevance")  # what there is of an excerpt before a region of it is tried
INVERSION = frozenset({"inverted", "reconstruction_error"})


@dataclass(frozen=True)
class Along:
    """How a rule explains moments of a track out of one pass over it."""

    hear: str  # the model that hears a piece of the track, and gives of moments in it what the next takes
    explain: str  # the model that explains such moments
    takes: tuple[str, ...]  # its inputs


@dataclass(frozen=True)
class Rule:
    """One way to say which bins a listener's answer rests on."""

    name: str
    ensemble: str  # the model that explains by it
    default_alpha: float  # in [0, 1]
    controls: tuple[str, ...]  # outputs of the ensemble: the listener's answers to random regions
    evidence: frozenset[str]  # outputs that hang on the region, which the model `evidence` gives as well
    known: tuple[str, ...] = KNOWN  # its outputs that `evidence` wants to be given
    takes_label: bool = False  # whether it explains any label; else only the one that is predicted
    inverts: bool = True  # whether what the deepest layer keeps comes with it
    along: Along | None = None  # None where a bundle explains moments of a track from their excerpts alone


def read_rules(manifest: Mapping[str, Any], models: Mapping[str, ModelConfig], suffix: str) -> tuple[Rule, ...]:
    """The rules a listener is said to have, the default first.

    Args:
        manifest: what says so: the manifest of the bundle, or an entry of it.
        models: of the bundle, by name.
        suffix: of the listener's models.

    Raises:
        BundleError: the default is not among them, or a rule has no model, no controls and their regions, or an alpha
            outside [0, 1].
    """
    given, default = field(manifest, "rules", dict), field(manifest, "default_rule", str)
    if default not in given:
        raise BundleError(f"{MANIFEST}: default_rule is {default!r}; the rules are {', '.join(given)}")
    rules = []
    evidence = frozenset(output.name for output in models[f"{EVIDENCE}{suffix}"].output)
    for name in sorted(given, key=lambda rule: rule != default):
        ensemble, alpha = f"explain_{name}{suffix}", float(field(given[name], "alpha", (int, float)))
        if ensemble not in models:
            raise BundleError(f"{MANIFEST}: there is a rule {name}, but no model {ensemble}")
        if not 0 <= alpha <= 1:
            raise BundleError(f"{MANIFEST}: rules.{name}.alpha is {alpha:g}; it must be in [0, 1]")
        outputs = [output.name for output in models[ensemble].output]
        controls = tuple(output for output in outputs if CONTROL.fullmatch(output))
        if not controls:
            raise BundleError(f"{ensemble}/{CONFIG}: there is no output control_1_probability")
        for model, made in ((ensemble, outputs), (f"{EVIDENCE}{suffix}", evidence)):
            if CONTROL_REGIONS not in made:
                raise BundleError(f"{model}/{CONFIG}: there is no output {CONTROL_REGIONS}")
        takes_label = {LABEL, CONTRAST} <= {tensor.name for tensor in models[ensemble].input}
        inverts = set(outputs) >= INVERSION
        known = tuple(tensor.name for tensor in models[f"{EVIDENCE}{suffix}"].input if tensor.name in outputs)
        if not set(known) >= set(KNOWN):
            raise BundleError(
                f"{EVIDENCE}{suffix}/{CONFIG}: there is no input {', '.join(sorted({*KNOWN} - {*known}))}"
            )
        shared, along = evidence.intersection(outputs), _along(f"{name}{suffix}", models)
        rules.append(Rule(name, ensemble, alpha, controls, shared, known, takes_label, inverts, along))
    return tuple(rules)


def _along(rule: str, models: Mapping[str, ModelConfig]) -> Along | None:
    """What a bundle has for a rule along tracks; bundles of before, and some rules, have nothing."""
    hear, explain = f"along_{rule}", f"moments_{rule}"
    if hear not in models or explain not in models:
        return None
    return Along(hear, explain, tuple(tensor.name for tensor in models[explain].input))
