"""How far answers are to be doubted, as far as a bundle can tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from phonoscope_serving.bundle.config import ModelConfig
from phonoscope_serving.bundle.manifest import MANIFEST, field, quantiles
from phonoscope_serving.bundle.rules import Rule
from phonoscope_serving.errors import BundleError
from phonoscope_serving.tensors import Floats

ENTRY = "doubt"  # of the manifest
DOUBT, WRONG, FOREIGN = "doubt", "wrong", "foreign"  # outputs of every rule's ensemble


def read_doubt_quantiles(
    manifest: Mapping[str, Any], models: Mapping[str, ModelConfig], rules: Iterable[Rule]
) -> Floats | None:
    """`[101]` the 0 % to 100 % quantiles of doubt over validation excerpts; None where a bundle cannot tell.

    Raises:
        BundleError: the manifest speaks of doubt, and a rule's ensemble does not give it; or the quantiles are none.
    """
    if manifest.get(ENTRY) is None:
        return None
    said = field(manifest, ENTRY, dict)
    for rule in rules:
        given = {tensor.name for tensor in models[rule.ensemble].output}
        if missing := {DOUBT, WRONG, FOREIGN} - given:
            lacking = ", ".join(sorted(missing))
            raise BundleError(f"{MANIFEST}: there is an entry {ENTRY}, but {rule.ensemble} has no output {lacking}")
    return quantiles(field(said, "quantiles", list), f"{ENTRY}.quantiles")
