"""A doubt of made-up numbers, and a bundle that has it: for tests that need its shape and not its opinion."""

from __future__ import annotations

import hashlib
import io
import json

import numpy as np
import torch
from phonoscope_trainer.export.explanation import rule_graphs
from phonoscope_trainer.export.explanation_ensembles import explain
from phonoscope_trainer.graphs.doubt import doubt_graph
from phonoscope_trainer.networks.density import Density
from phonoscope_trainer.networks.doubt import AXES, SIZES, Doubt
from phonoscope_trainer.networks.inverter import ExplanationInverter
from phonoscope_trainer.networks.label import threshold_logit
from phonoscope_trainer.networks.masker import Masker
from phonoscope_trainer.repository.golden import read_golden
from phonoscope_trainer.repository.models import write_ensemble, write_graph
from phonoscope_trainer.repository.shipped_graphs import network_of, threshold_of

from support.bundles.repository import edit_manifest, put, small

QUANTILES = [each / 100 for each in range(101)]


def made_up_doubt(threshold=0.5):
    """Densities of noise, and chances that move with both."""
    noise = torch.Generator().manual_seed(0)
    doubt = Doubt()
    for name, size in SIZES.items():
        doubt.densities[name] = Density.fitted(torch.randn(64, size, generator=noise), AXES[name])
    doubt.threshold_logit = torch.tensor(threshold_logit(threshold))
    doubt.foreign_weights = 0.05 * torch.randn(12, generator=noise)
    doubt.foreign_offset, doubt.wrong_weight, doubt.wrong_offset = map(torch.tensor, (-0.3, -0.7, 0.1))
    return doubt.eval()


def bundle_that_doubts(folder):
    """A small copy of the shipped bundle with made-up doubt in place of its own, if it has any."""
    root = small(folder)
    manifest = json.loads((root / "MANIFEST.json").read_text())
    network, threshold = network_of(root), threshold_of(root)
    rules = rule_graphs(ExplanationInverter(), Masker(), network, threshold)  # as descriptions
    models = [doubt_graph(made_up_doubt(threshold), network)]
    models += [explain(rule, rules[rule], doubts=True) for rule in manifest["rules"]]
    written = folder / "written"
    for model in models:
        (write_graph if model is models[0] else write_ensemble)(model, written)
    files = manifest["files"] | _golden_without_doubt(root)
    for path in written.rglob("*"):
        if path.is_file():
            name = str(path.relative_to(written))
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            put(root, name, path.read_bytes())
            files[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    edit_manifest(root, files=files, doubt={"quantiles": QUANTILES})
    return root


def _golden_without_doubt(root):
    """Has the golden vectors say nothing of doubt, which is another now; their digest."""
    golden = read_golden(root).items()
    kept = {name: array for name, array in golden if not name.endswith((".doubt", ".wrong", ".foreign"))}
    content = io.BytesIO()
    np.savez(content, **kept)
    put(root, "golden.npz", content.getvalue())
    return {"golden.npz": hashlib.sha256(content.getvalue()).hexdigest()}


def bundle_without_doubt(folder):
    """A small copy that cannot tell, as bundles of before; what its ensembles may give is not asked for."""
    root = small(folder)
    edit_manifest(root, doubt=None)
    return root
