"""A bundle with a second listener: the tagger, of weights of its own, and a bank of a few noises."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import torch
from phonoscope_trainer.export.tagging import exchange_parts, tagger_listener, tagging_part
from phonoscope_trainer.frontends.linear import LinearStft
from phonoscope_trainer.graphs import compose
from phonoscope_trainer.graphs.feature_pictures import tagger_pictures_graph
from phonoscope_trainer.graphs.labelled_bank import packed_with_labels
from phonoscope_trainer.graphs.tagger import tagger_graph
from phonoscope_trainer.graphs.tagger_frontend import tagger_frontend_graph
from phonoscope_trainer.networks.tagger import Tagger
from phonoscope_trainer.repository.golden import read_golden, write_arrays
from phonoscope_trainer.repository.models import write_ensemble, write_graph

from support.bundles.repository import edit_manifest, small
from support.corpora.music import melody

LABELS = ("ballad", "dance", "hip-hop")
SAID = {"excerpts": 2, "sounds": 1, "seed": 0, "licence": "CC0-1.0"}


def bundle_that_tags(folder):
    """A small copy of the shipped bundle, whose tagger is a listener, with or without one of its own."""
    root = small(folder)
    torch.manual_seed(1)
    network = Tagger(len(LABELS)).eval().requires_grad_(requires_grad=False)
    torch.nn.init.normal_(network.get_parameter("fc7.weight"), std=0.3)
    listener, clip = tagger_listener(LABELS), torch.from_numpy(melody(4, 7)[:44100])[None]
    part, exchange = tagging_part(network, LABELS, clip, None), exchange_parts(_bank(), listener, clip)
    shared = (
        tagger_frontend_graph(LinearStft()),
        tagger_graph(network, listener),
        tagger_pictures_graph(network, LABELS),
    )
    graphs, ensembles = (*shared, *part.graphs, *exchange.graphs), (*part.ensembles, *exchange.ensembles)
    for graph in graphs:
        write_graph(graph, root)
    for ensemble in ensembles:
        write_ensemble(ensemble, root)
    golden = read_golden(root)
    for ensemble in ensembles:
        if (inputs := part.golden.get(ensemble.name)) is not None:
            outputs = compose.run(ensemble, graphs, inputs)
            sides = {"input": inputs, "output": outputs}
            golden |= {
                f"{ensemble.name}.{side}.{n}": v.numpy() for side, named in sides.items() for n, v in named.items()
            }
    (root / "golden.npz").unlink()
    write_arrays(root, golden)
    listeners = part.entries["listeners"]
    listeners[-1]["exchange"] = SAID
    files = {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file() and path.name != "MANIFEST.json"
    }
    edit_manifest(root, files=files, listeners=json.loads(json.dumps(listeners)))
    return root


def _bank():
    sounds = torch.from_numpy(np.stack([melody(4, seed)[:44100] for seed in range(200, 206)]))
    log_mel = tagger_frontend_graph(LinearStft()).module(sounds)[2]
    relevance = torch.rand(log_mel.shape, generator=torch.Generator().manual_seed(0))
    explained = [0, 0, 1, 1, 2, 2]
    has = np.eye(3, dtype=bool)[explained]
    return packed_with_labels(log_mel, relevance, has, explained, sounds[::2], [0, 2, 4])
