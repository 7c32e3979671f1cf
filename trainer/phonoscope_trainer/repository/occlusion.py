"""Puts the rule `occlusion` together: masks, whatever network there is, and the sum of its answers, in one graph."""

from __future__ import annotations

import onnx
import torch
from torch import Tensor

from phonoscope_trainer.graphs.asked_label import ASKED
from phonoscope_trainer.graphs.description import Graph, TensorSpec
from phonoscope_trainer.graphs.joined import joined
from phonoscope_trainer.graphs.loop import GO_ON, repeated
from phonoscope_trainer.graphs.occlusion import OCCLUSION, Begin, Finish, Occluded, OcclusionOptions, Tally
from phonoscope_trainer.graphs.ready_made import ReadyMade
from phonoscope_trainer.repository.foreign import traced
from phonoscope_trainer.repository.versions import at_version

MAXIMUM_BATCH = 1  # excerpts: one is many rows of the network already


def occlusion_graph(
    name: str,
    network: onnx.ModelProto,
    picture: tuple[int, int],
    fillings: Tensor,
    options: OcclusionOptions = OCCLUSION,
    *,
    answers: int,
    beside: TensorSpec | None = None,
) -> Graph:
    """The description of the rule `occlusion` of any network.

    Args:
        name: the graph's.
        network: `excerpt` `[B, T, F]` to `log_odds` `[B, K]`, for any B; what else it answers is left out.
        picture: T and F.
        fillings: see `Occluded`.
        options: how much is tried.
        answers: K.
        beside: what the network is given beside the picture, the same under every mask.

    Raises:
        ExportError: the network's operators cannot be brought to the version of the rest.
    """
    occluded = Occluded(picture, fillings, options)
    maps, iteration = torch.zeros(2, *picture), torch.zeros(1, dtype=torch.int64)
    asked = tuple(torch.zeros(2, 1, dtype=torch.int32) for _ in ASKED)
    label = {spec.name: each for spec, each in zip(ASKED, asked, strict=True)}
    said = torch.zeros(2 * options.at_once, answers)
    extra = {} if beside is None else {beside.name: torch.zeros(2, *beside.dims)}
    tried = ["occluded", *(f"occluded_{name}" for name in extra)]
    look = traced(occluded, {"excerpt": maps, "iteration": iteration, **extra}, tried)
    tally = traced(
        Tally(occluded, answers),
        {"log_odds": said, **label, "iteration": iteration, "total": maps.clone()},
        ["next_iteration", "next_total", GO_ON],
    )
    ask = (at_version(network), {name: f"occluded_{name}" for name in extra} | {"excerpt": "occluded"})
    given = ["excerpt", *extra, *label]
    once = joined(
        name, [(look, {}), ask, (tally, {})], [*given, "iteration", "total"], ["next_iteration", "next_total", GO_ON]
    )
    whole = joined(
        name,
        [
            (traced(Begin(), {"excerpt": maps}, ["iteration", "total"]), {}),
            (repeated(once, options.masks // options.at_once), {}),
            (traced(Finish(), {"next_total": maps}, ["relevance"]), {}),
        ],
        given,
        ["relevance"],
    )
    return Graph(
        name,
        ReadyMade(whole),
        (TensorSpec("excerpt", picture), *(() if beside is None else (beside,)), *ASKED),
        (TensorSpec("relevance", picture),),
        (maps, *extra.values(), *asked),
        maximum_batch=MAXIMUM_BATCH,
        parameters={"masks": str(options.masks), "seed": str(options.seed)},
    )
