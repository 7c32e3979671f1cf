"""`phonoscope-train masker`: train the masker that explanations are made with, the detector's or any listener's."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch

from phonoscope_trainer.commands.listener_training import learnt_masker, music_at_hand
from phonoscope_trainer.commands.options import Verbs, add_threads, bar, names
from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.features import features
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend
from phonoscope_trainer.measures.calibrated_run import calibration_of
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.detector.modern import load_detector
from phonoscope_trainer.recipes.label_masker.objective import LabelWeights
from phonoscope_trainer.recipes.label_masker.training import LabelMaskerOptions
from phonoscope_trainer.recipes.masker import training as recipe
from phonoscope_trainer.recipes.masker.excerpts import plain, varied
from phonoscope_trainer.recipes.masker.objective import Weights
from phonoscope_trainer.repository.listeners import listener_of_bundle

DEFAULTS, LISTENERS = recipe.MaskerOptions(), LabelMaskerOptions()
VALIDATION_SEED = 1
EPILOG = """\
  phonoscope-train masker --detector runs/detector --run runs/masker                 the detector's
  phonoscope-train masker --listener tagger --run runs/tagger-masker                 of a listener of model_repository
  phonoscope-train masker --listener mine --model-repository out/mine --run out/mine-masker
  phonoscope-train adopt … --masker out/mine-masker --out out/mine                   the same bundle, with its masker

That of a listener learns from the music at hand; the listener itself says what has which label, and its sizes follow
from the listener's layers.
"""


def add(verbs: Verbs) -> None:
    """`masker`: train it."""
    masker = verbs.add_parser(
        "masker",
        help="train the masker that explanations are made with",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    masker.add_argument(
        "--run", dest="folder", type=Path, required=True, help="folder of the run; resumed if it exists"
    )
    explained = masker.add_mutually_exclusive_group(required=True)
    explained.add_argument("--detector", type=Path, help="run of the detector to explain")
    explained.add_argument("--listener", help="name of a bundle's listener to explain")
    for name, kind, meaning in (
        ("updates", int, "optimiser steps"),
        ("batch", int, "excerpts in each"),
        ("learning_rate", float, "at the peak of its cycle"),
        ("validation_excerpts", int, "on which the best masker is chosen"),
        ("validate_every", int, "updates"),
        ("seed", int, "of everything drawn"),
    ):
        usual = f"(default {getattr(DEFAULTS, name)}; of a listener {getattr(LISTENERS, name)})"
        masker.add_argument(f"--{name.replace('_', '-')}", type=kind, help=f"{meaning} {usual}")
    for term, meaning in (
        ("keep", "keeping the label with what the region holds"),
        ("remove", "losing it without"),
        ("silhouette", "not giving the label to what other music holds in the region"),
        ("area", "being small"),
    ):
        usual = f"(default {getattr(DEFAULTS.weights, term)}; of a listener {getattr(LISTENERS.weights, term)})"
        masker.add_argument(f"--{term}", type=float, help=f"weight of {meaning} {usual}")
    _add_of_the_detector(masker.add_argument_group("of the detector's"))
    others = masker.add_argument_group("of a listener's")
    others.add_argument("--model-repository", type=Path, default=Path("model_repository"), help="(default %(default)s)")
    others.add_argument("--corpora", type=names, default=(), help="music to learn from (default: what is there)")
    others.add_argument(
        "--excerpts", type=int, default=LISTENERS.excerpts, help="of the train splits (default %(default)s)"
    )
    add_threads(masker)
    masker.set_defaults(run=train_masker)


def _add_of_the_detector(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--threshold",
        type=float,
        help="the detector's (default: chosen on the valid splits of what it was trained on)",
    )
    group.add_argument(
        "--free-area",
        type=float,
        default=DEFAULTS.weights.free_area,
        help="share of the excerpt that a region may take for nothing (default %(default)s)",
    )
    group.add_argument(
        "--vocal-share",
        type=float,
        default=DEFAULTS.weights.vocal_share,
        help="what answers that somebody sings count, all together; the others count the rest (default %(default)s)",
    )
    group.add_argument(
        "--exchange-share",
        type=float,
        default=DEFAULTS.exchange_share,
        help="of excerpts tried in other music; the rest is filled as explanations once were (default %(default)s)",
    )
    group.add_argument("--start", type=Path, help="a finished run to go on from, through another cycle")


def train_masker(
    folder: Path,
    detector: Path | None,
    listener: str | None,
    model_repository: Path,
    corpora: tuple[str, ...],
    excerpts: int,
    keep: float | None,
    remove: float | None,
    silhouette: float | None,
    area: float | None,
    threshold: float | None,
    free_area: float,
    vocal_share: float,
    exchange_share: float,
    start: Path | None,
    threads: int,
    **others: float | None,
) -> None:
    """Train the masker of whichever was named."""
    torch.set_num_threads(threads)
    said: dict[str, Any] = {name: value for name, value in others.items() if value is not None}
    terms = {"keep": keep, "remove": remove, "silhouette": silhouette, "area": area}
    weights = {name: value for name, value in terms.items() if value is not None}
    if listener is not None:
        if threshold is not None or start is not None:
            raise OptionsError("masker: --threshold and --start are of the detector's; leave them out")
        trained = listener_of_bundle(model_repository, listener)
        options = LabelMaskerOptions(weights=LabelWeights(**weights), excerpts=excerpts, **said)
        learnt_masker(folder, music_at_hand(corpora, trained), options)
        return
    assert detector is not None  # one of the two is required
    if threshold is None:
        threshold = calibration_of(detector, bar("threshold")).threshold
    _train_detectors(
        folder,
        detector,
        recipe.MaskerOptions(
            weights=Weights(free_area=free_area, vocal_share=vocal_share, **weights),
            exchange_share=exchange_share,
            start=str(start or ""),
            threshold=threshold,
            detector=str(detector),
            corpora=tuple(checkpoint.options(detector)["corpora"]),
            **said,
        ),
    )


def _train_detectors(folder: Path, detector: Path, options: recipe.MaskerOptions) -> None:
    """Train the masker on the music the detector was trained with."""
    network, standardise = load_detector(detector)
    frontend = Frontend(FRONTEND)
    train, valid = (
        [features(named.load(name).of(split), frontend, bar(f"{name}, {split}")) for name in options.corpora]
        for split in ("train", "valid")
    )
    draw = varied(train, frontend, options.batch, options.seed)
    validation = plain(valid, frontend, options.batch, options.validation_excerpts, VALIDATION_SEED)
    recipe.train_masker(folder, draw, validation, network, standardise, options)
