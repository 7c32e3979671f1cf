"""Every graph and ensemble of a bundle."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from phonoscope_trainer.frontend import Frontend
from phonoscope_trainer.graphs.description import (
    EXCERPT_SAMPLES,
    REGION,
    SILENCE,
    Ensemble,
    Graph,
    Step,
    TensorSpec,
    maps,
    numbers,
)
from phonoscope_trainer.graphs.detector import detector_graph, track_graph
from phonoscope_trainer.graphs.frontend import frontend_graph
from phonoscope_trainer.graphs.inverters import Inverters, graph_name, inverter_graphs
from phonoscope_trainer.graphs.listen import listen_graph
from phonoscope_trainer.graphs.mask import mask_graph
from phonoscope_trainer.graphs.sonify import sonify_graph
from phonoscope_trainer.networks.inverter import FEATURES, ExplanationInverter
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet


def graphs(
    frontend: Frontend,
    standardise: Standardise,
    network: SVDNet,
    inverter: ExplanationInverter,
    inverters: Inverters | None = None,
) -> tuple[Graph, ...]:
    """The bundle's graphs, ready to export; networks must be in evaluation mode."""
    silence = standardise(frontend.log_mel(torch.zeros(1, 1, frontend.options.bins)))
    return (
        frontend_graph(frontend, standardise),
        detector_graph(network),
        track_graph(network, silence),
        Graph(
            "explanation_inverter",
            inverter,
            (TensorSpec("fc8", (FEATURES,)),),
            maps("inverted"),
            (torch.zeros(2, FEATURES),),
        ),
        mask_graph(standardise),
        listen_graph(frontend.options),
        *((*inverter_graphs(inverters, network), sonify_graph(frontend.options, standardise)) if inverters else ()),
    )


def ensembles(inverters: Inverters | None = None) -> tuple[Ensemble, ...]:
    """The bundle's compositions."""
    return (_predict(), _explain(), _masked(), *((_invert_layers(inverters.layers),) if inverters else ()))


def _predict() -> Ensemble:
    """A track, or a piece of one, to the probability at each of its frames."""
    return Ensemble(
        "predict",
        (TensorSpec("samples", (-1,)), *SILENCE),
        (TensorSpec("probability", (-1,)),),
        (
            Step("frontend", _same("samples"), _same("standardised")),
            Step("track_detector", _same("standardised", *(spec.name for spec in SILENCE)), _same("probability")),
        ),
        maximum_batch=1,
    )


def _explain() -> Ensemble:
    """EUSIPCO 2018, Fig. 1, and the evidence: detect, invert, mask, and detect again what the mask keeps and leaves."""
    measured = ("relative_area", "effective_alpha", "reconstruction_error")
    return Ensemble(
        "explain",
        (TensorSpec("samples", (EXCERPT_SAMPLES,)), *REGION),
        (
            *maps("log_mel", "standardised", "inverted", "mask", "explanation"),
            *numbers("probability", "masked_probability", "removed_probability", "control_probability", *measured),
        ),
        (
            Step("frontend", _same("samples"), _same("log_mel", "standardised")),
            Step("detector", {"excerpt": "standardised"}, _same("probability", "fc8")),
            Step("explanation_inverter", _same("fc8"), _same("inverted")),
            _mask("mask", "explanation", "remainder", "control", *measured),
            _detect("explanation", "masked_probability"),
            _detect("remainder", "removed_probability"),
            _detect("control", "control_probability"),
        ),
    )


def _masked() -> Ensemble:
    """The second half of `explain`, for sweeps over alpha."""
    return Ensemble(
        "masked",
        (*maps("log_mel", "standardised", "inverted"), *REGION),
        numbers("masked_probability", "relative_area", "effective_alpha"),
        (_mask("explanation", "relative_area", "effective_alpha"), _detect("explanation", "masked_probability")),
    )


def _invert_layers(layers: Sequence[str]) -> Ensemble:
    """ISMIR 2018, Fig. 6: one excerpt, and what each layer keeps of it; a caller may ask for some of the outputs."""
    inversions = [
        Step(
            graph_name(layer),
            {"activation": layer, "excerpt": "standardised"},
            {name: f"{name}_{layer}" for name in ("inverted", "reconstruction_error")},
        )
        for layer in layers
    ]
    return Ensemble(
        "invert_layers",
        (TensorSpec("samples", (EXCERPT_SAMPLES,)),),
        (
            *maps("log_mel", "standardised", *(f"inverted_{layer}" for layer in layers)),
            *numbers("probability", *(f"reconstruction_error_{layer}" for layer in layers)),
        ),
        (
            Step("frontend", _same("samples"), _same("log_mel", "standardised")),
            Step("detector", {"excerpt": "standardised"}, _same("probability", *layers)),
            *inversions,
        ),
    )


def _mask(*outputs: str) -> Step:
    region = (spec.name for spec in REGION)
    return Step("mask", _same("log_mel", "standardised", "inverted", *region), _same(*outputs))


def _detect(excerpt: str, probability: str) -> Step:
    return Step("detector", {"excerpt": excerpt}, {"probability": probability})


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}
