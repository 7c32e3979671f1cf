"""Puts the rule `occlusion` together: masks, whatever network there is, and the sum of its answers, in one graph."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import onnx
import torch
from onnx import version_converter
from torch import Tensor, nn

from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.graphs.asked_label import ASKED
from phonoscope_trainer.graphs.description import Graph, TensorSpec
from phonoscope_trainer.graphs.joined import joined
from phonoscope_trainer.graphs.loop import GO_ON, repeated
from phonoscope_trainer.graphs.occlusion import OCCLUSION, Begin, Finish, Occluded, OcclusionOptions, Tally
from phonoscope_trainer.graphs.ready_made import ReadyMade
from phonoscope_trainer.repository.models import OPSET, trace

MAXIMUM_BATCH = 4  # excerpts: each is many rows of the network already


def occlusion_graph(
    name: str,
    network: onnx.ModelProto,
    picture: tuple[int, int],
    fillings: Tensor,
    options: OcclusionOptions = OCCLUSION,
    *,
    answers: int,
) -> Graph:
    """The description of the rule `occlusion` of any network.

    Args:
        name: the graph's.
        network: `excerpt` `[B, T, F]` to `log_odds` `[B, K]`, for any B; what else it answers is left out.
        picture: T and F.
        fillings: see `Occluded`.
        options: how much is tried.
        answers: K.

    Raises:
        ExportError: the network's operators cannot be brought to the version of the rest.
    """
    occluded = Occluded(picture, fillings, options)
    maps, iteration = torch.zeros(2, *picture), torch.zeros(1, dtype=torch.int64)
    asked = tuple(torch.zeros(2, 1, dtype=torch.int32) for _ in ASKED)
    label = {spec.name: each for spec, each in zip(ASKED, asked, strict=True)}
    said = torch.zeros(2 * options.at_once, answers)
    look = _traced(occluded, {"excerpt": maps, "iteration": iteration}, ["occluded"])
    tally = _traced(
        Tally(occluded, answers),
        {"log_odds": said, **label, "iteration": iteration, "total": maps.clone()},
        ["next_iteration", "next_total", GO_ON],
    )
    ask = (at_version(network), {"excerpt": "occluded"})
    given = ["excerpt", *label]
    once = joined(
        name, [(look, {}), ask, (tally, {})], [*given, "iteration", "total"], ["next_iteration", "next_total", GO_ON]
    )
    whole = joined(
        name,
        [
            (_traced(Begin(), {"excerpt": maps}, ["iteration", "total"]), {}),
            (repeated(once, options.masks // options.at_once), {}),
            (_traced(Finish(), {"next_total": maps}, ["relevance"]), {}),
        ],
        given,
        ["relevance"],
    )
    return Graph(
        name,
        ReadyMade(whole),
        (TensorSpec("excerpt", picture), *ASKED),
        (TensorSpec("relevance", picture),),
        (maps, *asked),
        maximum_batch=MAXIMUM_BATCH,
        parameters={"masks": str(options.masks), "seed": str(options.seed)},
    )


def at_version(model: onnx.ModelProto) -> onnx.ModelProto:
    """A model with operators of the version that graphs are exported with.

    Raises:
        ExportError: there is an operator that cannot be brought there.
    """
    version = next((each.version for each in model.opset_import if each.domain in ("", "ai.onnx")), OPSET)
    if version == OPSET:
        return model
    try:
        return version_converter.convert_version(model, OPSET)
    except (RuntimeError, ValueError) as error:
        raise ExportError(f"the network's operators are of version {version}, not {OPSET}: {error}") from error


def _traced(module: nn.Module, inputs: Mapping[str, Tensor], outputs: list[str]) -> onnx.ModelProto:
    """A module as ONNX; the first axis of what has more than one is free, and of excerpts, whatever else it counts."""
    axes = [{} if each.ndim == 1 else {0: torch.export.Dim.DYNAMIC} for each in inputs.values()]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        trace(module, tuple(inputs.values()), path, list(inputs), outputs, axes)
        return onnx.load(path)
