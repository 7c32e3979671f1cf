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
NEAREST = "nearest"  # the model that says how far they are
EXCHANGED, EXCHANGE_HEARD = "exchanged", "exchange_heard"  # the models that try a row as a picture, and as sound
TRIALS = ("carried", "silhouette", "removed", "shifted", "other")  # what a row may be


@dataclass(frozen=True)
class Example:
    """Where one excerpt of other music is from."""

    song: str
    start_s: float  # in that song
    label: str  # that the listener gives it


@dataclass(frozen=True)
class ExchangeBank:
    """Excerpts of other music of every answer, inside the graphs."""

    excerpts: int  # of each answer
    licence: str
    trials: Mapping[str, int]  # one of `TRIALS` → how the graphs count it
    takes_label: bool  # whether rows name a label and a contrast; else whether somebody sings
    examples: tuple[Example, ...]  # the excerpts in their order; none where a bundle does not tell how near they are


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
    examples = _examples(said, models, f"{NEAREST}{suffix}")
    return ExchangeBank(field(said, "excerpts", int), field(said, "licence", str), trials, takes_label, examples)


def _examples(said: Mapping[str, Any], models: Mapping[str, ModelConfig], nearest: str) -> tuple[Example, ...]:
    """Where the excerpts are from.

    Raises:
        BundleError: the manifest names another count of them than the model `nearest` knows.
    """
    if "examples" not in said:
        return ()
    examples = tuple(
        Example(field(each, "song", str), float(field(each, "start_s", float)), field(each, "label", str))
        for each in field(said, "examples", list)
    )
    known = [tensor.dims[0] for tensor in models[nearest].output] if nearest in models else []
    if known != [len(examples)]:
        raise BundleError(f"{MANIFEST}: {GRAPH} names {len(examples)} examples, and {nearest} knows {known or 'none'}")
    return examples
