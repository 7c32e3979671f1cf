"""Why the detector answered: explanation inverter, mask, and what is heard of it (Mishra et al., EUSIPCO 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.frontend import EXCERPT_FRAMES
from phonoscope_trainer.graphs.description import (
    EXCERPT_SAMPLES,
    REGION,
    Ensemble,
    Graph,
    Step,
    TensorSpec,
    maps,
    numbers,
    same,
)
from phonoscope_trainer.graphs.listen import listen_graph
from phonoscope_trainer.graphs.mask import mask_graph
from phonoscope_trainer.networks.inverter import FEATURES, ExplanationInverter, parameter_count
from phonoscope_trainer.parts.part import Part, TrainedDetector, quantiles
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.explanation_inverter import draw_excerpts, encode, load_inverter

VALIDATION_EXCERPTS = 2000  # of all corpora together
DEFAULT_ALPHA = 0.6  # EUSIPCO 2018, section III.C
GOLDEN_ALPHAS = (0.6, 0.3)


def explanation(run: Path, detector: TrainedDetector) -> Part:
    """The explanation inverter of a run, with the quantiles of its error, each corpus represented equally.

    Raises:
        CheckpointError: the run cannot be used.
    """
    inverter, options = load_inverter(run), checkpoint.options(run)
    command = (
        f"phonoscope-train explanation-inverter --run {run} --detector {options['detector']}"
        f" --epochs {options['epochs']} --excerpts {options['excerpts']} --variant {options['variant']}"
    )
    return explanation_part(inverter, detector, _error_quantiles(inverter, detector), (command,))


def explanation_part(
    inverter: ExplanationInverter,
    detector: TrainedDetector,
    error_quantiles: tuple[float, ...],
    commands: tuple[str, ...] = (),
) -> Part:
    """Graphs `explanation_inverter`, `mask` and `listen`, and the ensembles `explain` and `masked`.

    Args:
        inverter: of the detector's FC8.
        detector: what is explained.
        error_quantiles: 0 % … 100 % of the inverter's root-mean-square error on validation excerpts.
        commands: that trained it.
    """
    rows = len(GOLDEN_ALPHAS)
    inputs = {
        "samples": golden_excerpts(detector),
        "alpha": torch.tensor(GOLDEN_ALPHAS).unsqueeze(-1),
        "maximum_area": torch.linspace(1, 0.2, rows).unsqueeze(-1),
        "masking": torch.arange(1, rows + 1, dtype=torch.int32).unsqueeze(-1),
    }
    return Part(
        (
            Graph(
                "explanation_inverter",
                inverter,
                (TensorSpec("fc8", (FEATURES,)),),
                maps("inverted"),
                (torch.zeros(2, FEATURES),),
            ),
            mask_graph(detector.standardise),
            listen_graph(detector.frontend.options),
        ),
        (_explain(), _masked()),
        {"explain": inputs},
        {"default_alpha": DEFAULT_ALPHA, "reconstruction_error_quantiles": error_quantiles},
        {"explanation_inverter": parameter_count(inverter)},
        commands,
    )


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
    pairs = encode(draw_excerpts(tracks, share, detector.frontend, detector.standardise, seed), detector.network)
    inverted: Tensor = inverter(pairs.fc8)
    return (inverted - pairs.excerpts).square().mean(dim=(1, 2)).sqrt()


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
            Step("frontend", same("samples"), same("log_mel", "standardised")),
            Step("detector", {"excerpt": "standardised"}, same("probability", "fc8")),
            Step("explanation_inverter", same("fc8"), same("inverted")),
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


def _mask(*outputs: str) -> Step:
    region = (spec.name for spec in REGION)
    return Step("mask", same("log_mel", "standardised", "inverted", *region), same(*outputs))


def _detect(excerpt: str, probability: str) -> Step:
    return Step("detector", {"excerpt": excerpt}, {"probability": probability})
