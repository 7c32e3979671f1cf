"""From trained runs to a bundle: graphs, ensembles, golden vectors, manifest."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phonoscope_trainer import bundle
from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.corpus import Corpus
from phonoscope_trainer.corpora.features import Features, features
from phonoscope_trainer.corpora.rendered import RenderOptions, render_song
from phonoscope_trainer.deployment import CPU, Deployment, configure
from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.experiments.metrics import auc, best_threshold, scores, smooth
from phonoscope_trainer.experiments.reconstruction_error import (
    inversions,
    mean_pairwise_distance,
    reconstruction_errors,
)
from phonoscope_trainer.experiments.tracks import labelled_curves
from phonoscope_trainer.frontend import EXCERPT_FRAMES, FRONTEND, Frontend
from phonoscope_trainer.graphs import compose
from phonoscope_trainer.graphs.catalogue import ensembles, graphs
from phonoscope_trainer.graphs.description import Ensemble, Graph
from phonoscope_trainer.graphs.inverters import Inverters, graph_name
from phonoscope_trainer.networks.feature_inverters import trainable_parameters
from phonoscope_trainer.networks.inverter import ExplanationInverter, parameter_count
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.detector import load_detector
from phonoscope_trainer.recipes.explanation_inverter import draw_excerpts, encode, load_inverter
from phonoscope_trainer.recipes.feature_inversion import load_inverters
from phonoscope_trainer.repository import replacing, write_ensemble, write_graph

VALIDATION_EXCERPTS = 2000
INVERSION_EXCERPTS = 600  # for the inverters of all layers, which are many times larger
DEFAULT_ALPHA = 0.6  # EUSIPCO 2018, section III.C
GOLDEN_ALPHAS = (0.6, 0.3)
GOLDEN_SECONDS = 5


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What is exported, from where to where."""

    name: str
    detector: Path  # run
    inverter: Path  # run
    out: Path
    command: str
    inverters: tuple[Path, ...] = ()  # runs of the feature inverters; without them layers cannot be inverted
    metrics: tuple[Path, ...] = ()  # JSON files whose top-level numbers join the manifest's metrics
    deployment: Deployment = CPU


def export(options: ExportOptions) -> str:
    """Write a complete bundle in place of what is at `out`; its digest.

    Raises:
        TrainerError: a run, a corpus or a metrics file cannot be used.
    """
    with replacing(options.out) as root:
        return _write(root, options)


def _write(root: Path, options: ExportOptions) -> str:
    """Measure the runs on their corpora, and write the bundle to `root`; its digest."""
    network, standardise = load_detector(options.detector)
    inverter = load_inverter(options.inverter)
    corpora = [named.load(name) for name in checkpoint.options(options.detector)["corpora"]]
    frontend = Frontend(FRONTEND)
    valid = [features(corpus.of("valid"), frontend) for corpus in corpora]
    if not all(valid):
        raise ExportError("every training corpus needs a track in its valid split: the threshold is chosen there")
    measured = _measure([track for tracks in valid for track in tracks], network, frontend, standardise)
    layers, layer_quantiles = _inverters(options.inverters, valid, network, frontend, standardise)
    facts = bundle.Facts(
        name=options.name,
        threshold=measured["threshold"],
        default_alpha=DEFAULT_ALPHA,
        reconstruction_error_quantiles=_error_quantiles(valid, network, inverter, frontend, standardise),
        metrics={f"validation_{k}": v for k, v in measured.items() if k != "threshold"} | _metrics(options.metrics),
        parameters={"detector": parameter_count(network), "explanation_inverter": parameter_count(inverter)}
        | {graph_name(each.layer): trainable_parameters(each) for each in (layers.networks if layers else ())},
        training_data=tuple(_training_data(corpus) for corpus in corpora),
        command="\n".join([*_training_commands(options), options.command]),
        inversion_error_quantiles=layer_quantiles,
    )
    return write_bundle(
        root, frontend, standardise, network, inverter, facts, _golden_samples(), options.deployment, layers
    )


def write_bundle(
    root: Path,
    frontend: Frontend,
    standardise: Standardise,
    network: SVDNet,
    inverter: ExplanationInverter,
    facts: bundle.Facts,
    golden_samples: NDArray[np.float32],
    deployment: Deployment = CPU,
    inverters: Inverters | None = None,
) -> str:
    """Write graphs, ensembles, golden vectors made from `golden_samples` `[N]`, and the manifest; the digest."""
    exported = graphs(frontend, standardise.eval(), network.eval(), inverter.eval(), inverters)
    composed = ensembles(inverters)
    for graph in exported:
        write_graph(graph, root)
    for ensemble in composed:
        write_ensemble(ensemble, root)
    bundle.write_golden(root, _golden(composed, exported, torch.from_numpy(golden_samples), frontend))
    configure(root, deployment)
    return bundle.write_manifest(root, facts)


def _training_commands(options: ExportOptions) -> list[str]:
    """The commands that repeat the runs, from the options saved with them."""
    inverter = checkpoint.options(options.inverter)
    commands = [
        *_detector_commands(options.detector),
        f"phonoscope-train explanation-inverter --run {options.inverter} --detector {options.detector}"
        f" --epochs {inverter['epochs']} --excerpts {inverter['excerpts']} --variant {inverter['variant']}",
    ]
    return [*commands, *(_inverters_command(run) for run in options.inverters)]


def _inverters_command(run: Path) -> str:
    """The command of a run of feature inverters."""
    options = checkpoint.options(run)
    numbers = (
        "epochs",
        "batches_per_epoch",
        "batch",
        "wide_updates",
        "wide_rows",
        "batch_statistics",
        "feature_start",
        "learning_rate",
        "adam_beta2",
        "schedule",
        "validation_excerpts",
    )
    return (
        f"phonoscope-train feature-inverters --run {run} --detector {options['detector']}"
        f" --layers {','.join(options['layers'])}"
        f" --method {'both' if len(options['methods']) > 1 else options['methods'][0]} --variant {options['variant']} "
        + " ".join(f"--{name.replace('_', '-')} {options[name]}" for name in numbers)
    )


def _detector_commands(run: Path) -> list[str]:
    """The command of a detector's run, after those of the run it started from."""
    detector = checkpoint.options(run)
    command = (
        f"phonoscope-train detector --run {run} --corpora {','.join(detector['corpora'])}"
        f" --recipe {detector.get('recipe', 'modern')} --updates {detector['updates']} --seed {detector['seed']}"
    )
    start = detector.get("start")
    if not start:
        return [command]
    return [
        *_detector_commands(Path(start)),
        f"{command} --start {start} --learning-rate {detector['learning_rate']:g}",
    ]


def _training_data(corpus: Corpus) -> bundle.TrainingData:
    return bundle.TrainingData(corpus.name, corpus.licence, corpus.digest)


def _measure(
    tracks: Sequence[Features], network: SVDNet, frontend: Frontend, standardise: Standardise
) -> dict[str, float]:
    """Threshold, AUC and error on validation tracks; where stems exist the accompaniment alone counts too."""
    pairs = labelled_curves(tracks, network, frontend, standardise)
    threshold = best_threshold(pairs)
    probability = np.concatenate([smooth(p) for p, _ in pairs])
    labels = np.concatenate([labels for _, labels in pairs])
    area = auc(probability, labels)
    if area is None:
        raise ExportError("the valid splits need sung frames and others: the threshold is chosen there")
    return {"threshold": threshold, "auc": area, "error": scores(probability, labels, threshold).error}


def _error_quantiles(
    valid: Sequence[Sequence[Features]],
    network: SVDNet,
    inverter: ExplanationInverter,
    frontend: Frontend,
    standardise: Standardise,
) -> tuple[float, ...]:
    """0 % … 100 % quantiles of the root-mean-square inversion error, each corpus represented equally."""
    errors: list[float] = []
    for seed, tracks in enumerate(valid):
        pairs = encode(draw_excerpts(tracks, VALIDATION_EXCERPTS // len(valid), frontend, standardise, seed), network)
        with torch.inference_mode():
            difference = inverter(pairs.fc8) - pairs.excerpts
        errors += difference.square().mean(dim=(1, 2)).sqrt().tolist()
    return _quantiles(errors)


def _inverters(
    runs: Sequence[Path],
    valid: Sequence[Sequence[Features]],
    network: SVDNet,
    frontend: Frontend,
    standardise: Standardise,
) -> tuple[Inverters | None, dict[str, tuple[float, ...]]]:
    """The feature inverters of some runs and the quantiles of their errors, each corpus represented equally."""
    if not runs:
        return None, {}
    share = INVERSION_EXCERPTS // len(valid)
    drawn = [draw_excerpts(tracks, share, frontend, standardise, seed) for seed, tracks in enumerate(valid)]
    excerpts = torch.cat(drawn)
    inverters = Inverters(load_inverters(*runs), mean_pairwise_distance(excerpts))
    found = inversions(excerpts, network, inverters.networks)
    return inverters, {
        layer: _quantiles(reconstruction_errors(excerpts, inverted, inverters.mean_distance).tolist())
        for layer, inverted in found.items()
    }


def _quantiles(errors: Sequence[float]) -> tuple[float, ...]:
    return tuple(float(q) for q in np.quantile(errors, np.linspace(0, 1, 101)))


def _metrics(paths: Sequence[Path]) -> dict[str, float]:
    """Top-level numbers of metrics files, under `FILE_STEM.key`."""
    found: dict[str, float] = {}
    for path in paths:
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ExportError(f"{path}: not a readable JSON document: {error}") from error
        numbers = {k: v for k, v in document.items() if isinstance(v, int | float) and not isinstance(v, bool)}
        found |= {f"{path.stem}.{key}": float(value) for key, value in numbers.items()}
    return found


def _golden_samples() -> NDArray[np.float32]:
    """A few seconds of a rendered song, which anybody may have: golden vectors ship with the bundle."""
    song = render_song(2018, 0, RenderOptions())
    start = 10 * FRONTEND.sample_rate_hz
    samples = (song.voice + song.accompaniment)[start : start + GOLDEN_SECONDS * FRONTEND.sample_rate_hz]
    return np.ascontiguousarray(samples, dtype=np.float32)


def _golden(
    composed: Sequence[Ensemble], exported: Sequence[Graph], samples: Tensor, frontend: Frontend
) -> Mapping[str, Mapping[str, NDArray[np.generic]]]:
    """Inputs and outputs of `explain` and `predict`, computed in PyTorch."""
    by_name = {ensemble.name: ensemble for ensemble in composed}
    length, rows = frontend.options.samples_of(EXCERPT_FRAMES), len(GOLDEN_ALPHAS)
    starts = np.linspace(0, len(samples) - length, rows).astype(int)
    inputs = {
        "explain": {
            "samples": torch.stack([samples[start : start + length] for start in starts]),
            "alpha": torch.tensor(GOLDEN_ALPHAS).unsqueeze(-1),
            "maximum_area": torch.linspace(1, 0.2, rows).unsqueeze(-1),
            "masking": torch.arange(1, rows + 1, dtype=torch.int32).unsqueeze(-1),
        },
        "predict": {
            "samples": samples.unsqueeze(0),
            "silence_before": torch.full((1, 1), 57, dtype=torch.int32),
            "silence_after": torch.full((1, 1), 57, dtype=torch.int32),
        },
    }
    if "invert_layers" in by_name:
        inputs["invert_layers"] = {"samples": inputs["explain"]["samples"]}
    vectors: dict[str, Mapping[str, NDArray[np.generic]]] = {}
    for name, tensors in inputs.items():
        outputs = compose.run(by_name[name], exported, tensors)
        vectors[f"{name}.input"] = {k: v.numpy() for k, v in tensors.items()}
        vectors[f"{name}.output"] = {k: v.numpy() for k, v in outputs.items()}
    return vectors
