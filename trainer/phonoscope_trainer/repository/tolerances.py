"""How far from its golden vectors a bundle may be computed, by precision; the manifest says it to whoever serves it.

`number`: of a probability, or of an error, which is about as large. `spread` and `size`: of a map, in the mean, of its
mean distance from its mean, and of its mean magnitude.

That of float32 holds along whole ensembles, and is far above rounding on any device: of the bins of a map some may be
quite others, since a last bit decides whether one as relevant as alpha lies inside the region. That of others holds of
one graph beside itself in float32. All are far below what a wrong graph gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Tolerances = Mapping[str, Mapping[str, float]]

TOLERANCES: Tolerances = {
    "float32": {"number": 0.01, "spread": 0.05, "size": 0.01},
    "bfloat16": {"number": 0.02, "spread": 0.1, "size": 0.02},
}


def with_tolerances(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Entries of a manifest that state what may be; what a bundle has stated of a precision is kept."""
    return {**entries, "tolerances": {**TOLERANCES, **entries.get("tolerances", {})}}
