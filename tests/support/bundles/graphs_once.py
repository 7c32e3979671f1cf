"""Graphs of the same weights, which take seconds to export, exported once."""

from __future__ import annotations

import hashlib
import shutil
from itertools import chain

from phonoscope_trainer.repository.models import write_graph


class GraphsOnce:
    """In place of `write_graph`: what was exported before is copied from `folder`."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, graph, root):
        """Write `graph` with its configuration to `root`."""
        kept = self.folder / _digest(graph)
        if not kept.is_dir():
            write_graph(graph, kept)
        shutil.copytree(kept / graph.name, root / graph.name, dirs_exist_ok=True)


def _digest(graph):
    """Of a graph's name, contract and weights."""
    contract = (graph.name, graph.inputs, graph.outputs, graph.maximum_batch, graph.iterations, graph.parameters)
    found = hashlib.sha256(repr(contract).encode())
    for name, weight in chain(graph.module.named_parameters(), graph.module.named_buffers()):
        found.update(name.encode() + weight.detach().contiguous().numpy().tobytes())
    return found.hexdigest()
