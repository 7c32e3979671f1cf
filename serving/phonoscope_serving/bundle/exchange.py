"""The other music of a bundle, which regions are exchanged with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from phonoscope_serving.bundle.config import CONFIG, ModelConfig, parameter
from phonoscope_serving.bundle.manifest import MANIFEST, field
from phonoscope_serving.bundle.rules import LABEL
from phonoscope_serving.errors import BundleError

GRAPH = "exchange"
EXCHANGED, EXCHANGE_HEARD = "exchanged", "exchange_heard"  # the models that try a row as a picture, and as sound
TRIALS = ("carried", "silhouette", "removed", "shifted", "other")  # what a row may be


@dataclass(frozen=True)
class ExchangeBank:
    """Excerpts of other music of every answer, inside the graphs."""

    excerpts: int  # of each answer
    licence: str
    trials: Mapping[str, int]  # one of `TRIALS` → how the graphs count it
    takes_label: bool  # whether rows name a label and a contrast; else whether somebody sings


def read_exchange_bank(
    manifest: Mapping[str, Any], models: Mapping[str, ModelConfig], suffix: str
) -> ExchangeBank | None:
    """What a listener has; None where it has no other music, as bundles of before.

    Raises:
        BundleError: the manifest speaks of other music, and a model or a trial is missing.
    """
    if manifest.get(GRAPH) is None:
        return None
    said = field(manifest, GRAPH, dict)
    graph, exchanged, heard = (f"{name}{suffix}" for name in (GRAPH, EXCHANGED, EXCHANGE_HEARD))
    if missing := {exchanged, heard} - models.keys():
        raise BundleError(f"{MANIFEST}: there is an entry {GRAPH}, but no model {', '.join(sorted(missing))}")
    trials = {name: number for number, name in enumerate(parameter(models, graph, "trials").split(","))}
    if missing := set(TRIALS) - trials.keys():
        raise BundleError(f"{graph}/{CONFIG}: parameter trials lacks {', '.join(sorted(missing))}")
    takes_label = LABEL in {tensor.name for tensor in models[exchanged].input}
    return ExchangeBank(field(said, "excerpts", int), field(said, "licence", str), trials, takes_label)
