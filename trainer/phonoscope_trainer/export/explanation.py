"""Why the detector answered: rules that say which bins its label rests on, and what tries out what they say.

A rule is a graph that gives every bin a relevance between 0 and 1: `inversion` (Mishra et al., EUSIPCO 2018),
`gradient`, and, where one was trained, `masker`. All of them share the mask, the evidence and the sound.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from phonoscope_trainer.corpora.excerpts import random_excerpts
from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.export.along import ALONG, along_ensembles_of, along_graphs_of, golden_along
from phonoscope_trainer.export.asked_alone import golden_region
from phonoscope_trainer.export.explanation_ensembles import evidence, explain, heard, masked
from phonoscope_trainer.export.part import Part, TrainedDetector, quantiles
from phonoscope_trainer.frontends.mel import EXCERPT_FRAMES
from phonoscope_trainer.graphs.description import EXCERPT, Graph
from phonoscope_trainer.graphs.doubt import doubt_graph
from phonoscope_trainer.graphs.explanation_inverter import explanation_inverter_graph
from phonoscope_trainer.graphs.gradient import gradient_graph
from phonoscope_trainer.graphs.listen import listen_graph
from phonoscope_trainer.graphs.mask import mask_graph
from phonoscope_trainer.graphs.masker import masker_graph
from phonoscope_trainer.graphs.rules import ALPHAS
from phonoscope_trainer.networks.inverter import ExplanationInverter, parameter_count
from phonoscope_trainer.networks.masker import Masker
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.doubt.run import FittedDoubt, load_doubt
from phonoscope_trainer.recipes.explanation_inverter import encode, load_inverter
from phonoscope_trainer.recipes.masker.training import load_masker

VALIDATION_EXCERPTS = 2000  # of all corpora together
GOLDEN_ALPHAS = (0.6, 0.3)
GOLDEN_OUTSIDE_GAINS = (0.0, 0.1)


def explanation(inverter_run: Path, masker_run: Path | None, doubt_run: Path | None, detector: TrainedDetector) -> Part:
    """The explanation inverter, the masker and the doubt of their runs; errors represent each corpus equally.

    Raises:
        CheckpointError: a run cannot be used, or the doubt is another detector's.
    """
    doubt = load_doubt(doubt_run, detector.network) if doubt_run else None
    inverter, masker = load_inverter(inverter_run), load_masker(masker_run) if masker_run else None
    commands = [each for run in (inverter_run, masker_run, doubt_run) if run for each in checkpoint.commands(run)]
    errors = _error_quantiles(inverter, detector)
    return explanation_part(inverter, masker, detector, errors, tuple(commands), doubt)


def explanation_part(
    inverter: ExplanationInverter,
    masker: Masker | None,
    detector: TrainedDetector,
    error_quantiles: tuple[float, ...],
    commands: tuple[str, ...] = (),
    doubt: FittedDoubt | None = None,
) -> Part:
    """A graph and an ensemble `explain_RULE` for each rule, and what the rules share: `evidence`, `masked`, `heard`.

    Args:
        inverter: of the detector's FC8.
        masker: where one was trained.
        detector: what is explained.
        error_quantiles: 0 % … 100 % of the inverter's root-mean-square error on validation excerpts.
        commands: that trained them.
        doubt: where one was fitted.
    """
    rules = rule_graphs(inverter, masker, detector.network, detector.threshold)
    ensembles = {rule: explain(rule, graph, doubts=doubt is not None) for rule, graph in rules.items()}
    doubting = (doubt_graph(doubt.doubt, detector.network),) if doubt else ()
    along_rules = tuple(rule for rule in ALONG if rule in rules)
    along_graphs = along_graphs_of(masker, detector.network, detector.standardise)
    along_ensembles = along_ensembles_of(along_rules, detector.network, doubts=doubt is not None)
    networks = {"explanation_inverter": inverter, **({"masker": masker} if masker else {})}
    return Part(
        (
            *rules.values(),
            *doubting,
            mask_graph(detector.standardise),
            *along_graphs,
            listen_graph(detector.frontend.options),
        ),
        (*ensembles.values(), evidence(), masked(), heard(), *along_ensembles),
        {each.name: _golden_question(detector) for each in ensembles.values()}
        | {"heard": _golden_region(detector)}
        | {"region": golden_region(golden_excerpts(detector), detector.frontend, detector.standardise)}
        | {f"along_{rule}": golden_along(detector.golden) for rule in along_rules},
        {
            "rules": {rule: {"alpha": ALPHAS[rule]} for rule in rules},
            "default_rule": next(iter(rules)),
            "reconstruction_error_quantiles": error_quantiles,
            **(doubt.entries if doubt else {}),
        },
        {name: parameter_count(network) for name, network in networks.items()},
        commands,
    )


def rule_graphs(
    inverter: ExplanationInverter, masker: Masker | None, network: SVDNet, threshold: float
) -> dict[str, Graph]:
    """The graph of every rule, the default first."""
    return {
        **({"masker": masker_graph(masker, network)} if masker else {}),
        "gradient": gradient_graph(network, threshold),
        "inversion": explanation_inverter_graph(inverter),
    }


def _golden_question(detector: TrainedDetector) -> dict[str, Tensor]:
    rows = len(GOLDEN_ALPHAS)
    return {
        "samples": golden_excerpts(detector),
        "alpha": torch.tensor(GOLDEN_ALPHAS).unsqueeze(-1),
        "maximum_area": torch.linspace(1, 0.2, rows).unsqueeze(-1),
        "masking": torch.arange(1, rows + 1, dtype=torch.int32).unsqueeze(-1),
        "control_seed": torch.arange(rows, dtype=torch.int32).unsqueeze(-1),
    }


def _golden_region(detector: TrainedDetector) -> dict[str, Tensor]:
    """Half the excerpt, in checks of about a tenth of a second and an octave."""
    frames, bands = (torch.arange(size) // 8 for size in EXCERPT)
    checks = ((frames[:, None] + bands) % 2).float()
    return {
        "samples": golden_excerpts(detector),
        "mask": torch.stack([checks, 1 - checks]),
        "outside_gain": torch.tensor(GOLDEN_OUTSIDE_GAINS).unsqueeze(-1),
    }


def golden_excerpts(detector: TrainedDetector) -> Tensor:
    """`[2, N]` excerpts from both ends of the golden recording."""
    length, rows = detector.frontend.options.samples_of(EXCERPT_FRAMES), len(GOLDEN_ALPHAS)
    starts = torch.linspace(0, len(detector.golden) - length, rows).int().tolist()
    return torch.stack([detector.golden[start : start + length] for start in starts])


def _error_quantiles(inverter: ExplanationInverter, detector: TrainedDetector) -> tuple[float, ...]:
    errors: list[float] = []
    for seed, tracks in enumerate(detector.valid):
        errors += _errors(inverter, detector, tracks, seed).tolist()
    return quantiles(errors)


@torch.inference_mode()
def _errors(inverter: ExplanationInverter, detector: TrainedDetector, tracks: Sequence[Features], seed: int) -> Tensor:
    """Root-mean-square inversion errors of one corpus' share of excerpts."""
    share = VALIDATION_EXCERPTS // len(detector.valid)
    excerpts = detector.standardise(random_excerpts(tracks, share, detector.frontend, seed))
    pairs = encode(excerpts, detector.network)
    inverted: Tensor = inverter(pairs.fc8)
    return (inverted - pairs.excerpts).square().mean(dim=(1, 2)).sqrt()
