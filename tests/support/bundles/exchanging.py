"""A bundle whose regions are exchanged with a bank small enough to be made for every test run, and one without."""

from __future__ import annotations

import hashlib
import json

import torch
from phonoscope_trainer.export.exchange import exchange_part
from phonoscope_trainer.frontends.mel import EXCERPT_FRAMES, FRONTEND, Frontend
from phonoscope_trainer.repository.models import write_ensemble, write_graph
from phonoscope_trainer.repository.shipped_graphs import network_of, standardise_of

from support.bundles.repository import REPOSITORY, edit_manifest, without
from support.bundles.small_bank import SAID, small_bank


def bundle_that_exchanges(folder):
    """A copy of the shipped bundle with the small bank, in place of its own if it has any."""
    root = bundle_without_exchange(folder)
    silence = torch.zeros(2, FRONTEND.samples_of(EXCERPT_FRAMES))
    part = exchange_part(small_bank(), network_of(root), Frontend(), standardise_of(root), silence, SAID)
    for graph in part.graphs:
        write_graph(graph, root)
    for ensemble in part.ensembles:
        write_ensemble(ensemble, root)
    files = json.loads((root / "MANIFEST.json").read_text())["files"]
    for each in (*part.graphs, *part.ensembles):
        for path in (root / each.name).rglob("*"):
            if path.is_file():
                files[str(path.relative_to(root))] = hashlib.sha256(path.read_bytes()).hexdigest()
    edit_manifest(root, files=files, exchange=SAID)
    return root


def bundle_without_exchange(folder):
    """A copy that has no other music, as bundles of before."""
    models = ("exchange", "exchange_sound", "exchanged", "exchange_heard", "nearest", "nearest_examples")
    root = without(folder, *(model for model in models if (REPOSITORY / model).is_dir()))
    edit_manifest(root, exchange=None)
    return root
