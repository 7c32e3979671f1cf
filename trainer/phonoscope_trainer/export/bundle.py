"""From trained runs to a bundle: graphs, ensembles, golden vectors, manifest."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.corpus import Corpus
from phonoscope_trainer.corpora.folder import licensed
from phonoscope_trainer.corpora.rendered import RenderOptions, render_song
from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.export.auralisation import AURALISATION, golden_clip
from phonoscope_trainer.export.bank import BANK, EXPLAINED, BankOptions, made_bank
from phonoscope_trainer.export.detection import detection
from phonoscope_trainer.export.exchange import exchange_part
from phonoscope_trainer.export.explanation import explanation, golden_excerpts
from phonoscope_trainer.export.inversion import INVERSION
from phonoscope_trainer.export.labelled_bank import TAGGER_BANK, LabelledBankOptions
from phonoscope_trainer.export.maximisation import MAXIMISATION
from phonoscope_trainer.export.part import Family, Part, TrainedDetector
from phonoscope_trainer.export.tagging import tagging
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend
from phonoscope_trainer.graphs import compose
from phonoscope_trainer.graphs.description import Ensemble, Graph, alone, part_of
from phonoscope_trainer.measures.calibrated_run import calibration_of, valid_features
from phonoscope_trainer.measures.scores import auc, pooled, scores
from phonoscope_trainer.measures.tracks import heard_tracks
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.detector.modern import load_detector
from phonoscope_trainer.repository import manifest as bundle
from phonoscope_trainer.repository.deployment import CPU, Deployment, configure
from phonoscope_trainer.repository.golden import write_golden
from phonoscope_trainer.repository.models import replacing, write_ensemble, write_graph
from phonoscope_trainer.repository.shared_weights import share_weights

GOLDEN_SECONDS = 5
# What a bundle may hold beside the detector and its explanation, by the option that names its runs.
FAMILIES: Mapping[str, Family] = {"inverters": INVERSION, "tagger": AURALISATION, "maximisation": MAXIMISATION}


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What is exported, from where to where."""

    name: str
    detector: Path  # run
    inverter: Path  # run
    masker: Path | None  # run; without one the rules are `gradient` and `inversion`
    out: Path
    command: str
    doubt: Path | None = None  # run; without one the bundle cannot tell how far answers are to be doubted
    families: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)  # one of `FAMILIES` → its runs
    metrics: tuple[Path, ...] = ()  # JSON files whose top-level numbers join the manifest's metrics
    deployment: Deployment = CPU
    bank: BankOptions | None = BANK  # of music that regions are exchanged with; None: there is none
    tagger_bank: LabelledBankOptions | None = TAGGER_BANK  # likewise, of the tagger


def export(options: ExportOptions) -> str:
    """Write a complete bundle in place of what is at `out`; its digest.

    Raises:
        TrainerError: a run, a corpus or a metrics file cannot be used.
    """
    with replacing(options.out) as root:
        return _write(root, options)


def _write(root: Path, options: ExportOptions) -> str:
    """Measure the runs on their corpora, and write the bundle to `root`; its digest."""
    calibration = calibration_of(options.detector)
    network, standardise = load_detector(options.detector)
    learned = checkpoint.options(options.detector)
    corpora = [licensed(named.load(name), learned.get("licence", "")) for name in learned["corpora"]]
    frontend = Frontend(FRONTEND)
    valid = valid_features(corpora, frontend)
    if not all(valid):
        raise ExportError("every training corpus needs a track in its valid split: explanations are measured there")
    detector = TrainedDetector(
        frontend, standardise.eval(), network.eval(), calibration.threshold, valid, _golden_sound()
    )
    parts = [detection(detector), explanation(options.inverter, options.masker, options.doubt, detector)]
    if options.bank:
        parts.append(_exchange(options.bank, detector, parts))
    parts += [FAMILIES[name].build(runs, detector) for name, runs in options.families.items() if runs]
    for run in options.families.get("tagger", ()):
        parts.append(tagging(run, golden_clip(detector), options.tagger_bank))
    parts.append(Part((), entries={"calibration": asdict(calibration)}))
    commands = [*checkpoint.commands(options.detector), *(each for part in parts for each in part.commands)]
    facts = bundle.Facts(
        name=options.name,
        threshold=detector.threshold,
        metrics=_measured(detector) | _metrics(options.metrics),
        training_data=(*_learned_from(learned, corpora), *(each for part in parts for each in part.training_data)),
        command="\n".join(dict.fromkeys([*commands, options.command])),  # runs may share those they started from
    )
    return write_bundle(root, parts, facts, options.deployment)


def write_bundle(root: Path, parts: Sequence[Part], facts: bundle.Facts, deployment: Deployment = CPU) -> str:
    """Write graphs, ensembles, golden vectors and the manifest of some parts; the digest."""
    for part in parts:
        for graph in part.graphs:
            write_graph(graph, root)
        for ensemble in part.ensembles:
            write_ensemble(ensemble, root)
    write_golden(root, _golden(parts))
    share_weights(root)
    configure(root, deployment)
    parameters = {name: count for part in parts for name, count in part.parameters.items()}
    entries = {name: value for part in parts for name, value in part.entries.items()}
    return bundle.write_manifest(root, facts, {"parameters": parameters, **entries})


def _exchange(options: BankOptions, detector: TrainedDetector, parts: Sequence[Part]) -> Part:
    """What regions are exchanged with, explained by the rule that is served by default."""
    graphs, ensembles = _contents(parts)
    rule = next(part.entries["default_rule"] for part in parts if "default_rule" in part.entries)
    explain = part_of(ensembles[f"explain_{rule}"], EXPLAINED)
    bank, said = made_bank(options, lambda inputs: compose.run(explain, graphs, inputs))
    return exchange_part(
        bank, detector.network, detector.frontend, detector.standardise, golden_excerpts(detector), said
    )


def _learned_from(learned: Mapping[str, Any], corpora: Sequence[Corpus]) -> Iterator[bundle.TrainingData]:
    """The corpora of a run; of one that was recovered, those its bundle named, which may be elsewhere now."""
    if "training_data" in learned:
        return (bundle.TrainingData(**each) for each in learned["training_data"])
    return (bundle.TrainingData(corpus.name, corpus.licence, corpus.digest) for corpus in corpora)


def _measured(detector: TrainedDetector) -> dict[str, float]:
    """AUC and error over all frames of the valid splits, accompaniments alone among them where there are stems."""
    parts = (detector.network, detector.frontend, detector.standardise)
    curves = [each.curve() for tracks in detector.valid for each in heard_tracks(tracks, *parts)]
    smoothed, labels = pooled(curves)
    area = auc(smoothed, labels)
    if area is None:
        raise ExportError("the valid splits need sung frames and others: the detector is measured there")
    return {"validation_auc": area, "validation_error": scores(smoothed, labels, detector.threshold).error}


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


def _golden_sound() -> Tensor:
    """A few seconds of a rendered song, which anybody may have: golden vectors ship with the bundle.

    As a file of 16 bits would hold them, which packs to half.
    """
    song = render_song(2018, 0, RenderOptions())
    start = 10 * FRONTEND.sample_rate_hz
    samples = (song.voice + song.accompaniment)[start : start + GOLDEN_SECONDS * FRONTEND.sample_rate_hz]
    return torch.from_numpy((np.rint(samples * 32768) / 32768).astype(np.float32))


def _golden(parts: Sequence[Part]) -> Mapping[str, Mapping[str, NDArray[np.generic]]]:
    """Inputs and outputs of ensembles, and of graphs that are asked alone, computed in PyTorch."""
    graphs, ensembles = _contents(parts)
    asked = {graph.name: alone(graph) for graph in graphs} | ensembles
    vectors: dict[str, Mapping[str, NDArray[np.generic]]] = {}
    for part in parts:
        for name, inputs in part.golden.items():
            outputs = compose.run(asked[name], graphs, inputs)
            vectors[f"{name}.input"] = {k: v.numpy() for k, v in inputs.items()}
            vectors[f"{name}.output"] = {k: v.numpy() for k, v in outputs.items()}
    return vectors


def _contents(parts: Sequence[Part]) -> tuple[list[Graph], dict[str, Ensemble]]:
    """Graphs, and ensembles by name."""
    graphs = [graph for part in parts for graph in part.graphs]
    return graphs, {ensemble.name: ensemble for part in parts for ensemble in part.ensembles}
