"""The rules of explanation that a bundle offers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from phonoscope_serving.bundle.manifest import MANIFEST, field
from phonoscope_serving.errors import BundleError


@dataclass(frozen=True)
class Rule:
    """One way to say which bins the detector's answer rests on."""

    name: str
    ensemble: str  # the model that explains by it
    default_alpha: float  # in [0, 1]


def read_rules(manifest: Mapping[str, Any], models: Collection[str]) -> tuple[Rule, ...]:
    """The rules a manifest lists, the default first.

    Args:
        manifest: of the bundle.
        models: names of the bundle's models.

    Raises:
        BundleError: the default is not among them, or a rule has no model or an alpha outside [0, 1].
    """
    given, default = field(manifest, "rules", dict), field(manifest, "default_rule", str)
    if default not in given:
        raise BundleError(f"{MANIFEST}: default_rule is {default!r}; the rules are {', '.join(given)}")
    rules = []
    for name in sorted(given, key=lambda rule: rule != default):
        ensemble, alpha = f"explain_{name}", float(field(given[name], "alpha", (int, float)))
        if ensemble not in models:
            raise BundleError(f"{MANIFEST}: there is a rule {name}, but no model {ensemble}")
        if not 0 <= alpha <= 1:
            raise BundleError(f"{MANIFEST}: rules.{name}.alpha is {alpha:g}; it must be in [0, 1]")
        rules.append(Rule(name, ensemble, alpha))
    return tuple(rules)
