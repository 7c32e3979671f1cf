"""Every graph and ensemble of a bundle, described as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from phonoscope_trainer.frontend import EXCERPT_FRAMES, Frontend, band_peaks_hz
from phonoscope_trainer.graphs.detector import DetectorGraph, TrackGraph
from phonoscope_trainer.graphs.frontend import FrontendGraph
from phonoscope_trainer.graphs.listen import ListenGraph
from phonoscope_trainer.graphs.mask import MaskGraph
from phonoscope_trainer.networks.inverter import ExplanationInverter
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import LAYERS, SVDNet

Type = Literal["float32", "int32"]
MAXIMUM_BATCH = 64


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output; `dims` leave out the batch axis, -1 varies."""

    name: str
    dims: tuple[int, ...]
    type: Type = "float32"


@dataclass(frozen=True, slots=True)
class Graph:
    """A module to be exported, with the contract's names for its inputs and outputs."""

    name: str
    module: nn.Module
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    example: tuple[Tensor, ...]
    maximum_batch: int = MAXIMUM_BATCH
    parameters: Mapping[str, str] = field(default_factory=dict)  # what serving must know


@dataclass(frozen=True, slots=True)
class Step:
    """One graph inside an ensemble: its tensors' names → the ensemble's."""

    graph: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Graphs composed: the steps in any order, tied by tensor names."""

    name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    steps: tuple[Step, ...]
    maximum_batch: int = MAXIMUM_BATCH


EXCERPT = (EXCERPT_FRAMES, 80)
REGION_INPUTS = (
    TensorSpec("alpha", (1,)),
    TensorSpec("maximum_area", (1,)),
    TensorSpec("masking", (1,), "int32"),
)
MAPS = tuple(TensorSpec(name, EXCERPT) for name in ("log_mel", "standardised", "inverted"))
SILENCE = (TensorSpec("silence_before", (1,), "int32"), TensorSpec("silence_after", (1,), "int32"))


def graphs(
    frontend: Frontend, standardise: Standardise, network: SVDNet, inverter: ExplanationInverter
) -> tuple[Graph, ...]:
    """The bundle's graphs, ready to export; networks must be in evaluation mode."""
    options = frontend.options
    excerpt_samples = options.samples_of(EXCERPT_FRAMES)
    samples, excerpt, one = torch.zeros(2, excerpt_samples), torch.zeros(2, *EXCERPT), torch.ones(2, 1)
    layers = network.activations(excerpt)
    silence = standardise(frontend.log_mel(torch.zeros(1, 1, options.bins)))
    no_frames = torch.full((1, 1), 57, dtype=torch.int32)
    frontend_facts = {
        "sample_rate_hz": str(options.sample_rate_hz),
        "frame_samples": str(options.frame_samples),
        "hop_samples": str(options.hop_samples),
        "excerpt_frames": str(EXCERPT_FRAMES),
        "excerpt_samples": str(excerpt_samples),
        "band_centre_hz": ",".join(f"{hz:.3f}" for hz in band_peaks_hz(options)[1:-1]),
    }
    return (
        Graph(
            "frontend",
            FrontendGraph(frontend, standardise),
            (TensorSpec("samples", (-1,)),),
            (TensorSpec("log_mel", (-1, options.bands)), TensorSpec("standardised", (-1, options.bands))),
            (samples,),
            parameters=frontend_facts,
        ),
        Graph(
            "detector",
            DetectorGraph(network),
            (TensorSpec("excerpt", EXCERPT),),
            (
                *(TensorSpec(name, tuple(layers[name].shape[1:])) for name in LAYERS),
                TensorSpec("logit", (1,)),
                TensorSpec("probability", (1,)),
            ),
            (excerpt,),
            parameters={"layers": ",".join(LAYERS)},
        ),
        Graph(
            "track_detector",
            TrackGraph(network, silence),
            (TensorSpec("standardised", (-1, options.bands)), *SILENCE),
            (TensorSpec("probability", (-1,)),),
            (torch.zeros(1, 300, options.bands), no_frames, no_frames.clone()),
            maximum_batch=1,
        ),
        Graph(
            "explanation_inverter",
            inverter,
            (TensorSpec("fc8", tuple(layers["fc8"].shape[1:])),),
            (TensorSpec("inverted", EXCERPT),),
            (layers["fc8"].detach(),),
        ),
        Graph(
            "mask",
            MaskGraph(standardise),
            (*MAPS, *REGION_INPUTS),
            (
                *(TensorSpec(name, EXCERPT) for name in ("mask", "explanation", "remainder", "control")),
                *(TensorSpec(name, (1,)) for name in ("relative_area", "effective_alpha", "reconstruction_error")),
            ),
            (excerpt, excerpt.clone(), excerpt.clone(), one, one.clone(), one.int()),
        ),
        Graph(
            "listen",
            ListenGraph(options),
            (
                TensorSpec("samples", (excerpt_samples,)),
                TensorSpec("mask", EXCERPT),
                TensorSpec("outside_gain", (1,)),
            ),
            (TensorSpec("audio", (excerpt_samples,)),),
            (samples, excerpt, one),
        ),
    )


def _detect(excerpt: str, probability: str, **layers: str) -> Step:
    return Step("detector", {"excerpt": excerpt}, {"probability": probability, **layers})


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


def ensembles(excerpt_samples: int) -> tuple[Ensemble, ...]:
    """The bundle's compositions."""
    region = [spec.name for spec in REGION_INPUTS]
    mask_inputs = _same("log_mel", "standardised", "inverted", *region)
    scores = tuple(TensorSpec(name, (1,)) for name in ("relative_area", "effective_alpha", "reconstruction_error"))
    probabilities = ("probability", "masked_probability", "removed_probability", "control_probability")
    return (
        Ensemble(
            "predict",
            (TensorSpec("samples", (-1,)), *SILENCE),
            (TensorSpec("probability", (-1,)),),
            (
                Step("frontend", _same("samples"), _same("standardised")),
                Step(
                    "track_detector",
                    _same("standardised", "silence_before", "silence_after"),
                    _same("probability"),
                ),
            ),
            maximum_batch=1,
        ),
        Ensemble(
            "explain",
            (TensorSpec("samples", (excerpt_samples,)), *REGION_INPUTS),
            (
                *MAPS,
                TensorSpec("mask", EXCERPT),
                TensorSpec("explanation", EXCERPT),
                *(TensorSpec(name, (1,)) for name in probabilities),
                *scores,
            ),
            (
                Step("frontend", _same("samples"), _same("log_mel", "standardised")),
                _detect("standardised", "probability", fc8="fc8"),
                Step("explanation_inverter", _same("fc8"), _same("inverted")),
                Step(
                    "mask",
                    mask_inputs,
                    _same("mask", "explanation", "remainder", "control", *(spec.name for spec in scores)),
                ),
                _detect("explanation", "masked_probability"),
                _detect("remainder", "removed_probability"),
                _detect("control", "control_probability"),
            ),
        ),
        Ensemble(
            "masked",
            (*MAPS, *REGION_INPUTS),
            (TensorSpec("masked_probability", (1,)), *scores[:2]),
            (
                Step("mask", mask_inputs, _same("explanation", "relative_area", "effective_alpha")),
                _detect("explanation", "masked_probability"),
            ),
        ),
    )
