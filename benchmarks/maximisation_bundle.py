"""The networks that maximising is measured with, and a bundle that holds their graphs."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from phonoscope_serving.bundle.bundle import Bundle, load_bundle
from phonoscope_serving.bundle.manifest import manifest_digest
from phonoscope_trainer.frontends.mel import FRONTEND
from phonoscope_trainer.graphs.griffin_lim import griffin_lim_graph
from phonoscope_trainer.graphs.maximise import maximise_graphs
from phonoscope_trainer.networks.gan import Generator
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.recipes.gan.training import load_generator
from phonoscope_trainer.repository.golden import read_golden, write_arrays
from phonoscope_trainer.repository.models import write_graph
from torch.utils.flop_counter import FlopCounterMode

REPOSITORY = Path(__file__).resolve().parents[1] / "model_repository"
SETTINGS = {"steps": 100, "learning_rate": 0.01, "prior_weight": 0.001}


@dataclass(frozen=True, slots=True)
class Networks:
    """All in evaluation mode; weights do not change how long anything takes."""

    generator: Generator
    standardise: Standardise
    detector: SVDNet

    def multiply_adds(self) -> int:
        """Of one row's forward and backward pass, as the layers define them."""
        z = torch.zeros(1, 128, requires_grad=True)
        with FlopCounterMode(display=False) as counted:
            self.detector(self.standardise(self.generator(z))).sum().backward()
        return int(counted.get_total_flops()) // 2


def networks_of(run: Path | None, kernels: Literal["paper", "5x5"]) -> Networks:
    """A trained generator, or one of random weights, before a detector of random weights."""
    torch.manual_seed(0)
    generator = Generator(kernels) if run is None else load_generator(run)
    standardise = Standardise(torch.linspace(-4, -7, 80), torch.full((80,), 2.0))
    networks = Networks(generator.eval(), standardise.eval(), SVDNet().eval())
    for network in (networks.generator, networks.standardise, networks.detector):
        network.requires_grad_(False)
    return networks


def serving_bundle(networks: Networks, folder: Path) -> Bundle:
    """The shipped bundle, its own maximiser replaced by these networks'."""
    root = folder / "repository"
    shutil.copytree(REPOSITORY, root)
    graphs = [
        *maximise_graphs(networks.generator, networks.standardise, networks.detector),
        griffin_lim_graph(FRONTEND),
    ]
    for graph in graphs:
        shutil.rmtree(root / graph.name, ignore_errors=True)
        write_graph(graph, root)
    golden = read_golden(root).items()  # what the shipped generator makes is not what this one does
    write_arrays(root, {name: array for name, array in golden if not name.startswith("generated.")})
    manifest = json.loads((root / "MANIFEST.json").read_text())
    paths = sorted(path for path in root.rglob("*") if path.is_file() and path.name != "MANIFEST.json")
    manifest["files"] = {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in paths}
    manifest["maximisation"] = {"maximise": SETTINGS, "minimise": SETTINGS}
    manifest["digest"] = manifest_digest(manifest)
    (root / "MANIFEST.json").write_text(json.dumps(manifest))
    return load_bundle(root)
