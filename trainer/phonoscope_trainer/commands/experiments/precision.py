"""`phonoscope-train experiment precision`: what a bundle's answers lose where networks are run in less precision."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from tqdm import tqdm

from phonoscope_trainer.commands.experiments.explanation_loss import draw
from phonoscope_trainer.commands.experiments.judged_bundle import labelled
from phonoscope_trainer.commands.options import Verbs, add_fields, add_json, add_threads, bar, names, write
from phonoscope_trainer.corpora.features import features
from phonoscope_trainer.experiments.explanation.detector import ExplainedDetector, of_bundle
from phonoscope_trainer.experiments.explanation.excerpts import Excerpts
from phonoscope_trainer.experiments.explanation.loss import LossOptions
from phonoscope_trainer.experiments.explanation.precision import (
    PrecisionOptions,
    Progress,
    compare_curves,
    compare_excerpts,
)
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend
from phonoscope_trainer.repository.reduced_graphs import PRECISIONS, Precision, opener

DEFAULTS = PrecisionOptions()
USUAL = ("mir1k", "real")
MEANING = """\
The same bundle in ONNX Runtime (float32) and in OpenVINO in each precision, corpus by corpus, on test splits:

  labels_changed    share of excerpts whose label is another
  loss_difference   |E_loss - E_loss in float32|: how often a region alone does not keep its label
  area, region_iou  of the region by the default rule, and how like that of float32 it is; region_iou_low: 5 % are less
  curve_difference  mean distance of a track's curve from that of float32, in probability, five points a second;
                    _most: the largest

`worst` holds the largest of each over the corpora (of region_iou the smallest).
"""


def add_experiment(experiments: Verbs) -> None:
    """`precision`: labels, losses, regions and curves."""
    parser = experiments.add_parser(
        "precision",
        help="what answers lose where networks are run in less precision",
        description=MEANING,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model-repository", type=Path, default=Path("model_repository"), help="(default %(default)s)")
    parser.add_argument("--corpora", type=names, default=USUAL, help=f"whose test splits (default: {','.join(USUAL)})")
    parser.add_argument(
        "--precisions", type=names, default=PRECISIONS, help=f"that are judged (default: {','.join(PRECISIONS)})"
    )
    meanings = {
        "excerpts": "of each corpus, half of each label",
        "tracks": "of each corpus, whose curves are compared",
        "track_s": "seconds of each, at most",
        "seed": "of the excerpts drawn",
    }
    add_fields(parser, DEFAULTS, meanings)
    add_threads(parser)
    add_json(parser)
    parser.set_defaults(run=precision_experiment)


def precision_experiment(
    model_repository: Path,
    corpora: Sequence[str],
    precisions: Sequence[Precision],
    excerpts: int,
    tracks: int,
    track_s: float,
    seed: int,
    threads: int,
    json_path: Path | None,
) -> None:
    """Compare every precision with float32."""
    torch.set_num_threads(threads)
    options = PrecisionOptions(excerpts, tracks, track_s, seed=seed)
    write(measured(model_repository, corpora, precisions, options, threads), json_path)


def measured(
    repository: Path, corpora: Sequence[str], precisions: Sequence[Precision], options: PrecisionOptions, threads: int
) -> dict[str, object]:
    """The document.

    Raises:
        CorpusError: a corpus is missing, or the detector calls too few of its excerpts vocal, or too many.
        ExportError: there is no bundle at `repository`.
        OptionsError: OpenVINO is not installed.
    """
    exact = of_bundle(repository, None, threads)
    reduced: dict[str, ExplainedDetector] = {
        name: of_bundle(repository, None, threads, open_graph=opener(name)) for name in precisions
    }
    found: dict[str, dict[str, dict[str, float]]] = {name: {} for name in precisions}
    for corpus in corpora:
        tracks = features(labelled(corpus, "test"), Frontend(FRONTEND), bar(corpus))
        sample = draw(corpus, tracks, exact, LossOptions(options.excerpts, seed=options.seed))
        rows = compare_excerpts(exact, reduced, sample, options, _progress(corpus))
        curves = compare_curves(exact, reduced, tracks, options)
        for name in precisions:
            found[name][corpus] = rows[name] | curves[name] | {"n": len(sample)}
    worst = {name: _worst(rows.values()) for name, rows in found.items()}
    return {"precisions": found, "worst": worst, "threshold": exact.threshold, "options": asdict(options)}


def _worst(rows: Iterable[dict[str, float]]) -> dict[str, float]:
    """Of each figure the one that is furthest from what float32 has."""
    listed = list(rows)
    largest = ("labels_changed", "loss_difference", "curve_difference", "curve_difference_most")
    smallest = ("region_iou", "region_iou_low")
    return {name: max(row[name] for row in listed) for name in largest} | {
        name: min(row[name] for row in listed) for name in smallest
    }


def _progress(corpus: str) -> Progress:
    def progress(batches: Iterable[Excerpts], count: int, what: str) -> Iterable[Excerpts]:
        shown: Iterable[Excerpts] = tqdm(batches, desc=f"{corpus}, {what}", total=count, unit="batch")
        return shown

    return progress
