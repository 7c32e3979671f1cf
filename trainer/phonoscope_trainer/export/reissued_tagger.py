"""The tagger of a bundle once more, as a listener, from what the bundle itself holds of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.export.auralisation import auralise
from phonoscope_trainer.export.labelled_bank import LabelledBankOptions
from phonoscope_trainer.export.layer_inversion import QUANTILES
from phonoscope_trainer.export.recovery import tagger_of
from phonoscope_trainer.export.tagger_rules import TaggerAdditions, TaggerRules, tagger_rules
from phonoscope_trainer.export.tagging import NAME, RULE, tagger_listener, tagging_part
from phonoscope_trainer.frontends.linear import LinearStft
from phonoscope_trainer.graphs import compose
from phonoscope_trainer.graphs.feature_pictures import tagger_pictures_graph
from phonoscope_trainer.graphs.tagger import tagger_graph
from phonoscope_trainer.graphs.tagger_frontend import tagger_frontend_graph
from phonoscope_trainer.repository.golden import Arrays
from phonoscope_trainer.repository.listeners import listener_of_bundle
from phonoscope_trainer.repository.models import write_ensemble, write_graph

NOTHING = TaggerAdditions()


@torch.no_grad()
def write_tagger(
    root: Path,
    entries: Mapping[str, Any],
    golden: Arrays,
    bank: LabelledBankOptions | None,
    additions: TaggerAdditions = NOTHING,
) -> tuple[dict[str, Any], Arrays]:
    """Write the tagger's models to the bundle at `root`; the manifest's entries of it, and golden vectors.

    Args:
        root: a copy of the bundle, to be changed.
        entries: of its manifest.
        golden: its golden vectors.
        bank: other music is made anew; None: as the bundle has it, or has none.
        additions: rules and inverters that are added; what the bundle has of them already stays.

    Raises:
        CheckpointError: see `tagger_rules`.
        ExportError: see `tagging_part`; or there are no golden vectors of a clip.
    """
    network, labels = tagger_of(root)
    listener, clip = tagger_listener(labels), golden.get("auralise.input.samples")
    if clip is None:
        raise ExportError(f"{root}: there are no golden vectors of auralise")
    shared = (
        tagger_frontend_graph(LinearStft()),
        tagger_graph(network, listener),
        tagger_pictures_graph(network, labels),
    )
    further = TaggerRules()
    if additions != NOTHING:
        further = tagger_rules(additions, listener_of_bundle(root, NAME), network, listener)
    part = tagging_part(network, labels, torch.from_numpy(clip), bank, further)
    for graph in (*shared, *part.graphs):
        write_graph(graph, root)
    for ensemble in (auralise(len(labels)), *part.ensembles):
        write_ensemble(ensemble, root)
    made = {ensemble.name: ensemble for ensemble in part.ensembles}
    kept = dict(golden)
    for name, inputs in part.golden.items():
        kept |= _arrays(f"{name}.input", inputs)
        kept |= _arrays(f"{name}.output", compose.run(made[name], (*shared, *part.graphs), inputs))
    found: dict[str, Any] = dict(part.entries)
    if bank is None:
        _keep(found, entries, "exchange")
    if further.inversions is None:
        _keep(found, entries, QUANTILES)
    _keep_rules(found, entries)
    return found, kept


def _keep(found: dict[str, Any], entries: Mapping[str, Any], name: str) -> None:
    """What was said of other music, or of inverters, is said again: their graphs stay as they are."""
    before = _before(entries)
    if name in before:
        found["listeners"][-1][name] = before[name]


def _keep_rules(found: dict[str, Any], entries: Mapping[str, Any]) -> None:
    """Rules that were added once stay, and a masker stays the default; their graphs and golden vectors are there."""
    entry = found["listeners"][-1]
    rules = {**_before(entries).get("rules", {}), **entry["rules"]}
    first = next((rule for rule in ("masker", RULE) if rule in rules), next(iter(rules)))
    entry["rules"] = {first: rules[first], **rules}
    entry["default_rule"] = first


def _before(entries: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((each for each in entries.get("listeners", ()) if each["name"] == NAME), {})


def _arrays(side: str, tensors: Mapping[str, Tensor]) -> Arrays:
    return {f"{side}.{name}": value.numpy() for name, value in tensors.items()}
