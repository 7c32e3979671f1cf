"""The doubt that a bundle ships, read out of its graph: to be judged, and to be exported again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.networks.doubt import Doubt
from phonoscope_trainer.repository.manifest import MANIFEST
from phonoscope_trainer.repository.shipped_graphs import constants_of

ENTRY = GRAPH = "doubt"
ADDED = ("threshold_logit", "foreign_offset", "wrong_offset")  # an export drops them where they are zero


def doubt_of(repository: Path) -> tuple[Doubt, tuple[float, ...]]:
    """The doubt of a bundle, in evaluation mode, and the 0 % to 100 % quantiles that its manifest gives.

    Raises:
        ExportError: the bundle has none, or a graph of another version.
    """
    manifest = repository / MANIFEST
    entry = json.loads(manifest.read_text(encoding="utf-8")).get(ENTRY) if manifest.is_file() else None
    if entry is None:
        raise ExportError(
            f"{repository}: the bundle cannot tell how far its answers are to be doubted; "
            "`phonoscope-train doubt` fits what can, and `reissue --doubt RUN` adds it"
        )
    values, doubt = constants_of(repository, GRAPH), Doubt()
    state = doubt.state_dict()
    for name, own in state.items():
        if name in ADDED and name not in values:
            values[name] = np.zeros(1, np.float32)
        if name not in values or values[name].size != own.numel():
            raise ExportError(f"{repository}: {GRAPH} holds no {name} of {own.numel()} numbers; fit it again")
        state[name] = torch.tensor(values[name]).view_as(own)
    doubt.load_state_dict(state)
    return doubt.eval(), tuple(entry["quantiles"])
