"""A bundle that can maximise, with a response and a generator small enough to be exported for every test run."""

from __future__ import annotations

import hashlib
import json
import shutil

import torch
from phonoscope_trainer.frontend import FRONTEND
from phonoscope_trainer.graphs.description import Graph, TensorSpec, maps, numbers
from phonoscope_trainer.graphs.griffin_lim import griffin_lim_graph
from phonoscope_trainer.graphs.maximise import POSITION, AdamOptions, log_prior, maximise_graph
from phonoscope_trainer.repository import write_graph
from torch import nn

from support.serving_repository import copied, edit_manifest

STEPS_PER_CALL = 4
LAYERS = {"maximise": {"conv1": 64, "fc8": 64, "logit": 1}, "maximise_features": {"fc8": 64, "logit": 1}}
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
        self.register_buffer("pictures", _noise(9, 128, 115 * 80))

    def with_gradient(self, z, weights, position=None):
        units = torch.tanh(z @ self.mixing)
        if position is not None:
            weights = weights * torch.where(position[:, :1] < 0, 1.0, 2.0)
        response = (weights * units).sum(dim=1, keepdim=True)
        return response, (weights * (1 - units * units)) @ self.mixing.T

    def forward(self, z, weights, position):
        response, _ = self.with_gradient(z, weights, position)
        return (z @ self.pictures).reshape(-1, 115, 80) - 5, response, log_prior(z), torch.sigmoid(response)


def _noise(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) / 12


NAMES = ("maximise", "maximise_features", "generate", "griffin_lim")


def without_generator(folder):
    """A copy of the shipped bundle that cannot maximise."""
    root = copied(folder)
    files = json.loads((root / "MANIFEST.json").read_text())["files"]
    for name in NAMES:
        shutil.rmtree(root / name, ignore_errors=True)
    edit_manifest(root, files={path: digest for path, digest in files.items() if (root / path).exists()})
    return root


def bundle_that_can_maximise(folder):
    """A copy of the shipped bundle with the miniature's models, in place of its own if it has any."""
    root = without_generator(folder)
    files = json.loads((root / "MANIFEST.json").read_text())["files"]
    for graph in _graphs():
        write_graph(graph, root)
        for path in (root / graph.name).rglob("*"):
            if path.is_file():
                files[str(path.relative_to(root))] = hashlib.sha256(path.read_bytes()).hexdigest()
    edit_manifest(root, files=files, maximisation=SETTINGS)
    return root


def _graphs():
    of_all, of_features = (MiniatureResponse(LAYERS[name]) for name in ("maximise", "maximise_features"))
    adam = AdamOptions(steps_per_call=STEPS_PER_CALL)
    weights = TensorSpec("weights", (sum(of_all.widths.values()),))
    inputs = (TensorSpec("z", (128,)), weights, POSITION)
    example = (torch.zeros(2, 128), torch.zeros(2, *weights.dims), torch.zeros(2, 2, dtype=torch.int32))
    outputs = (*maps("log_mel"), *numbers("response", "prior", "probability"))
    return (
        maximise_graph("maximise", of_all, adam, (POSITION,)),
        maximise_graph("maximise_features", of_features, adam),
        Graph("generate", of_all, inputs, outputs, example),
        griffin_lim_graph(FRONTEND, iterations=2),
    )
