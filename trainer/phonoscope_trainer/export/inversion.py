"""What each layer keeps: the feature inverters of a bundle (Mishra et al., ISMIR 2018)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from phonoscope_trainer.corpora.excerpts import random_excerpts
from phonoscope_trainer.export.asked_alone import golden_sonify
from phonoscope_trainer.export.explanation import golden_excerpts
from phonoscope_trainer.export.part import Family, Part, TrainedDetector, quantiles
from phonoscope_trainer.graphs.description import EXCERPT_SAMPLES, Ensemble, Step, TensorSpec, maps, numbers, same
from phonoscope_trainer.graphs.inverters import Inverters, graph_name, inverter_graphs
from phonoscope_trainer.graphs.sonify import sonify_graph
from phonoscope_trainer.measures.reconstruction_error import inversions, mean_pairwise_distance, reconstruction_errors
from phonoscope_trainer.networks.feature_inverters import trainable_parameters
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.feature_inversion.training import load_inverters

VALIDATION_EXCERPTS = 600  # of all corpora together


def inversion(runs: Sequence[Path], detector: TrainedDetector) -> Part:
    """The inverters of some runs, with the quantiles of their errors, each corpus represented equally.

    Raises:
        CheckpointError: a run cannot be used.
    """
    share = VALIDATION_EXCERPTS // len(detector.valid)
    drawn = [random_excerpts(tracks, share, detector.frontend, seed) for seed, tracks in enumerate(detector.valid)]
    excerpts = detector.standardise(torch.cat(drawn))
    inverters = Inverters(load_inverters(*runs), mean_pairwise_distance(excerpts))
    found = inversions(excerpts, detector.network, inverters.networks)
    errors = {
        layer: quantiles(reconstruction_errors(excerpts, inverted, inverters.mean_distance).tolist())
        for layer, inverted in found.items()
    }
    commands = tuple(each for run in runs for each in checkpoint.commands(run))
    return inversion_part(inverters, detector, errors, commands)


def inversion_part(
    inverters: Inverters,
    detector: TrainedDetector,
    error_quantiles: Mapping[str, tuple[float, ...]],
    commands: tuple[str, ...] = (),
) -> Part:
    """Graphs `inverter_LAYER` and `sonify`, and the ensemble `invert_layers`.

    Args:
        inverters: one for each layer that can be inverted.
        detector: whose layers they are.
        error_quantiles: layer → 0 % … 100 % of its inverter's error on validation excerpts.
        commands: that trained them.
    """
    samples = golden_excerpts(detector)
    return Part(
        (
            *inverter_graphs(inverters, detector.network),
            sonify_graph(detector.frontend.options, detector.standardise),
        ),
        (_invert_layers(inverters.layers),),
        {
            "invert_layers": {"samples": samples},
            "sonify": golden_sonify(samples, detector.frontend, detector.standardise),
        },
        {"inversion_error_quantiles": error_quantiles},
        {graph_name(each.layer): trainable_parameters(each) for each in inverters.networks},
        commands,
    )


INVERSION = Family("the feature inverters; of several, the last to have a layer counts", inversion)


def _invert_layers(layers: Sequence[str]) -> Ensemble:
    """ISMIR 2018, Fig. 6: one excerpt, and what each layer keeps of it; a caller may ask for some of the outputs."""
    steps = [
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
            Step("frontend", same("samples"), same("log_mel", "standardised")),
            Step("detector", {"excerpt": "standardised"}, same("probability", *layers)),
            *steps,
        ),
    )
