"""A bundle that can maximise, with a response and a generator small enough to be exported for every test run."""

from __future__ import annotations

import hashlib
import json

import torch
from phonoscope_trainer.export.maximisation import GENERATED
from phonoscope_trainer.frontends.mel import FRONTEND
from phonoscope_trainer.graphs.griffin_lim import griffin_lim_graph
from phonoscope_trainer.graphs.maximise import AdamOptions, generate_graph, maximise_graph
from phonoscope_trainer.repository.models import write_ensemble, write_graph
from torch import nn

from support.bundles.repository import edit_manifest, without_generator

STEPS_PER_CALL = 4
LAYERS = {"conv1": 64, "fc8": 64, "logit": 1}
SETTINGS = {
    "maximise": {"steps": 12, "learning_rate": 0.05, "prior_weight": 0.001},
    "minimise": {"steps": 9, "learning_rate": 0.1, "prior_weight": 0.01},
}


class MiniatureResponse(nn.Module):
    """Units that are hyperbolic tangents of sums of z; at a position a map's units count twice."""

    def __init__(self, widths):
        super().__init__()
        self.widths = widths
        layers = [_noise(number, 128, width) for number, width in enumerate(reversed(widths.values()))]
        self.register_buffer("mixing", torch.cat(layers[::-1], dim=1))

    def with_gradient(self, z, weights, position):
        units = torch.tanh(z @ self.mixing)
        weights = weights * torch.where(position[:, :1] < 0, 1.0, 2.0)
        response = (weights * units).sum(dim=1, keepdim=True)
        return response, (weights * (1 - units * units)) @ self.mixing.T


class MiniatureGenerator(nn.Module):
    """Pictures that are sums of z."""

    def __init__(self):
        super().__init__()
        self.register_buffer("pictures", _noise(9, 128, 115 * 80))

    def forward(self, z):
        standardised = (z @ self.pictures).reshape(-1, 115, 80)
        return standardised - 5, standardised


def _noise(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) / 12


def bundle_that_can_maximise(folder):
    """A copy of the shipped bundle with the miniature's models, in place of its own if it has any."""
    root = without_generator(folder)
    files = json.loads((root / "MANIFEST.json").read_text())["files"]
    for graph in (*_graphs(), GENERATED):
        (write_ensemble if graph is GENERATED else write_graph)(graph, root)
        for path in (root / graph.name).rglob("*"):
            if path.is_file():
                files[str(path.relative_to(root))] = hashlib.sha256(path.read_bytes()).hexdigest()
    edit_manifest(root, files=files, maximisation=SETTINGS)
    return root


def _graphs():
    return (
        maximise_graph(MiniatureResponse(LAYERS), AdamOptions(steps_per_call=STEPS_PER_CALL)),
        generate_graph(MiniatureGenerator()),
        griffin_lim_graph(FRONTEND, iterations=2),
    )
