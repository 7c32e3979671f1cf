"""The other music of a bundle, which regions are exchanged with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from phonoscope_serving.bundle.config import CONFIG, ModelConfig, parameter
from phonoscope_serving.bundle.manifest import MANIFEST, field
from phonoscope_serving.errors import BundleError

GRAPH = "exchange"
EXCHANGED, EXCHANGE_HEARD = "exchanged", "exchange_heard"  # the models that try a row as a picture, and as sound
TRIALS = ("carried", "silhouette", "removed", "shifted", "other")  # what a row may be


@dataclass(frozen=True)
class ExchangeBank:
    """Excerpts of other music of both answers, inside the graphs."""

    excerpts: int  # of each answer
    licence: str
    trials: Mapping[str, int]  # one of `TRIALS` → how the graphs count it


def read_exchange_bank(manifest: Mapping[str, Any], models: Mapping[str, ModelConfig]) -> ExchangeBank | None:
    """What a bundle has; None where it has no other music, as bundles of before.

    Raises:
        BundleError: the manifest speaks of other music, and a model or a trial is missing.
    """
    if manifest.get(GRAPH) is None:
        return None
    said = field(manifest, GRAPH, dict)
    if missing := {EXCHANGED, EXCHANGE_HEARD} - models.keys():
        raise BundleError(f"{MANIFEST}: there is an entry {GRAPH}, but no model {', '.join(sorted(missing))}")
    trials = {name: number for number, name in enumerate(parameter(models, GRAPH, "trials").split(","))}
    if missing := set(TRIALS) - trials.keys():
        raise BundleError(f"{GRAPH}/{CONFIG}: parameter trials lacks {', '.join(sorted(missing))}")
    return ExchangeBank(field(said, "excerpts", int), field(said, "licence", str), trials)
