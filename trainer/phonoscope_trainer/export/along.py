"""Explanations along a track: `along_RULE` hears a piece of one in one pass, `moments_RULE` explains moments of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from phonoscope_trainer.graphs.along import DENSE, FIRST, GATHERED, masker_along_graph, moments_graph
from phonoscope_trainer.graphs.description import (
    EXCERPT,
    SILENCE,
    Ensemble,
    Graph,
    Step,
    TensorSpec,
    maps,
    numbers,
    same,
)
from phonoscope_trainer.graphs.doubt import DOUBT, DOUBTS
from phonoscope_trainer.graphs.mask import ALPHA, MASKING, region_graph
from phonoscope_trainer.networks.doubt import SEEN
from phonoscope_trainer.networks.masker import Masker
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet

ALONG = ("masker", "inversion")  # rules whose relevance follows from one dense pass
GOLDEN_FIRST = (0, 10)  # frames behind the silence before
MEASURED = ("relative_area", "masked_probability")


def along(rule: str, network: SVDNet) -> Ensemble:
    """A piece of a track in one pass: its curve, and of moments in it what `moments_RULE` takes."""
    gathered = [f"moment_{layer}" for layer in GATHERED]
    own = network.activations(torch.zeros(1, *EXCERPT))
    rows = [TensorSpec(f"moment_{layer}", (-1, *own[layer].shape[1:])) for layer in GATHERED]
    ruling = Step("masker_along", same("conv2", "conv5", "fc8", FIRST.name), same("relevance"))
    is_masker = rule == "masker"
    asked = [layer for layer in DENSE if is_masker or layer in GATHERED]
    bands = EXCERPT[1]
    return Ensemble(
        f"along_{rule}",
        (TensorSpec("samples", (-1,)), *SILENCE, FIRST),
        (
            TensorSpec("log_mel", (-1, bands)),
            TensorSpec("standardised", (-1, bands)),
            TensorSpec("probability", (-1,)),
            *rows,
            *((TensorSpec("relevance", (-1, *EXCERPT)),) if is_masker else ()),
        ),
        (
            Step("frontend", same("samples"), same("log_mel", "standardised")),
            Step(
                "track_detector",
                same("standardised", *(spec.name for spec in SILENCE)),
                same("probability", *asked),
            ),
            Step("moments", same(*GATHERED, FIRST.name), same(*gathered)),
            *((ruling,) if is_masker else ()),
        ),
        maximum_batch=1,
    )


def moments(rule: str, network: SVDNet, *, doubts: bool) -> Ensemble:
    """What is known of moments, to their regions, and whether each keeps the label alone."""
    own = network.activations(torch.zeros(1, *EXCERPT))
    rows = [TensorSpec(f"moment_{layer}", tuple(own[layer].shape[1:])) for layer in GATHERED]
    is_masker = rule == "masker"
    seen = {name: "standardised" if name == "excerpt" else f"moment_{name}" for name in SEEN}
    if not doubts:
        rows = [spec for spec in rows if spec.name == "moment_fc8"]
    inverting = Step(
        "explanation_inverter",
        {"fc8": "moment_fc8", "excerpt": "standardised"},
        same("reconstruction_error", *(() if is_masker else ("relevance",))),
    )
    return Ensemble(
        f"moments_{rule}",
        (*maps("log_mel", "standardised", *(("relevance",) if is_masker else ())), *rows, ALPHA, MASKING),
        (
            *maps("mask", *(() if is_masker else ("relevance",))),
            *numbers(*MEASURED, "reconstruction_error", *(DOUBTS if doubts else ())),
        ),
        (
            inverting,
            *((Step(DOUBT, seen, same(*DOUBTS)),) if doubts else ()),
            Step(
                "region",
                same("log_mel", "standardised", "relevance", ALPHA.name, MASKING.name),
                same("mask", "explanation", "relative_area"),
            ),
            Step("detector", {"excerpt": "explanation"}, {"probability": "masked_probability"}),
        ),
    )


def golden_along(samples: Tensor) -> Mapping[str, Tensor]:
    """Inputs of golden vectors, from `samples` `[N]`; the track begins and ends in silence."""
    around = torch.full((1, 1), 57, dtype=torch.int32)
    return {
        "samples": samples.unsqueeze(0),
        "silence_before": around,
        "silence_after": around,
        "first": 57 + torch.tensor([GOLDEN_FIRST], dtype=torch.int32),
    }


def along_graphs_of(masker: Masker | None, network: SVDNet, standardise: Standardise) -> tuple[Graph, ...]:
    """The graphs that explanations along a track need beside those of moments."""
    masking = (masker_along_graph(masker, network),) if masker else ()
    return moments_graph(network), *masking, region_graph(standardise)


def along_ensembles_of(rules: Iterable[str], network: SVDNet, *, doubts: bool) -> tuple[Ensemble, ...]:
    """The ensembles of each rule."""
    return tuple(each for rule in rules for each in (along(rule, network), moments(rule, network, doubts=doubts)))
