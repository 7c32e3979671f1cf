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
from phonoscope_trainer.export.recovery import tagger_of
from phonoscope_trainer.export.tagging import NAME, tagger_listener, tagging_part
from phonoscope_trainer.frontends.linear import LinearStft
from phonoscope_trainer.graphs import compose
from phonoscope_trainer.graphs.feature_pictures import tagger_pictures_graph
from phonoscope_trainer.graphs.tagger import tagger_graph
from phonoscope_trainer.graphs.tagger_frontend import tagger_frontend_graph
from phonoscope_trainer.repository.golden import Arrays
from phonoscope_trainer.repository.models import write_ensemble, write_graph


@torch.inference_mode()
def write_tagger(
    root: Path, entries: Mapping[str, Any], golden: Arrays, bank: LabelledBankOptions | None
) -> tuple[dict[str, Any], Arrays]:
    """Write the tagger's models to the bundle at `root`; the manifest's entries of it, and golden vectors.

    Args:
        root: a copy of the bundle, to be changed.
        entries: of its manifest.
        golden: its golden vectors.
        bank: other music is made anew; None: as the bundle has it, or has none.

    Raises:
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
    part = tagging_part(network, labels, torch.from_numpy(clip), bank)
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
        _keep_exchange(found, entries)
    return found, kept


def _keep_exchange(found: dict[str, Any], entries: Mapping[str, Any]) -> None:
    """What was said of other music is said again: its graphs stay as they are."""
    before: Mapping[str, Any] = next((each for each in entries.get("listeners", ()) if each["name"] == NAME), {})
    if "exchange" in before:
        found["listeners"][-1]["exchange"] = before["exchange"]


def _arrays(side: str, tensors: Mapping[str, Tensor]) -> Arrays:
    return {f"{side}.{name}": value.numpy() for name, value in tensors.items()}
