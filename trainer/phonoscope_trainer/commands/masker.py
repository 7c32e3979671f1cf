"""`phonoscope-train masker`: train the masker that explanations are made with."""

from __future__ import annotations

from pathlib import Path

import torch

from phonoscope_trainer.commands.options import Verbs, add_fields, add_threads, bar
from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.features import features
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend
from phonoscope_trainer.measures.calibrated_run import calibration_of
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.detector.modern import load_detector
from phonoscope_trainer.recipes.masker import training as recipe
from phonoscope_trainer.recipes.masker.excerpts import plain, varied
from phonoscope_trainer.recipes.masker.objective import Weights

DEFAULTS = recipe.MaskerOptions()
VALIDATION_SEED = 1


def add(verbs: Verbs) -> None:
    """`masker`: train it."""
    masker = verbs.add_parser("masker", help="train the masker that explanations are made with")
    masker.add_argument(
        "--run", dest="folder", type=Path, required=True, help="folder of the run; resumed if it exists"
    )
    masker.add_argument("--detector", type=Path, required=True, help="run of the detector to explain")
    masker.add_argument(
        "--threshold",
        type=float,
        help="the detector's (default: chosen on the valid splits of what it was trained on)",
    )
    add_fields(
        masker,
        DEFAULTS,
        {
            "updates": "optimiser steps",
            "batch": "excerpts in each",
            "validation_excerpts": "on which the best masker is chosen",
            "validate_every": "updates",
            "seed": "of everything drawn",
        },
    )
    for term, meaning in (
        ("keep", "keeping the label with what the region holds"),
        ("remove", "losing it without"),
        ("silhouette", "not giving the label to what other music holds in the region"),
        ("area", "being small"),
    ):
        default = getattr(DEFAULTS.weights, term)
        masker.add_argument(f"--{term}", type=float, default=default, help=f"weight of {meaning} (default %(default)s)")
    masker.add_argument(
        "--free-area",
        type=float,
        default=DEFAULTS.weights.free_area,
        help="share of the excerpt that a region may take for nothing (default %(default)s)",
    )
    masker.add_argument(
        "--vocal-share",
        type=float,
        default=DEFAULTS.weights.vocal_share,
        help="what answers that somebody sings count, all together; the others count the rest (default %(default)s)",
    )
    masker.add_argument(
        "--exchange-share",
        type=float,
        default=DEFAULTS.exchange_share,
        help="of excerpts tried in other music; the rest is filled as explanations once were (default %(default)s)",
    )
    masker.add_argument("--start", type=Path, help="a finished run to go on from, through another cycle")
    masker.add_argument("--learning-rate", type=float, default=DEFAULTS.learning_rate, help="(default %(default)s)")
    add_threads(masker)
    masker.set_defaults(run=train_masker)


def train_masker(
    folder: Path,
    detector: Path,
    threshold: float | None,
    updates: int,
    batch: int,
    validation_excerpts: int,
    validate_every: int,
    seed: int,
    keep: float,
    remove: float,
    silhouette: float,
    area: float,
    free_area: float,
    vocal_share: float,
    exchange_share: float,
    start: Path | None,
    learning_rate: float,
    threads: int,
) -> None:
    """Train the masker on the music the detector was trained with."""
    torch.set_num_threads(threads)
    network, standardise = load_detector(detector)
    corpora = tuple(checkpoint.options(detector)["corpora"])
    options = recipe.MaskerOptions(
        updates=updates,
        batch=batch,
        learning_rate=learning_rate,
        weights=Weights(
            keep=keep,
            remove=remove,
            silhouette=silhouette,
            area=area,
            free_area=free_area,
            vocal_share=vocal_share,
        ),
        exchange_share=exchange_share,
        start=str(start or ""),
        threshold=calibration_of(detector, bar("threshold")).threshold if threshold is None else threshold,
        validation_excerpts=validation_excerpts,
        validate_every=validate_every,
        seed=seed,
        detector=str(detector),
        corpora=corpora,
    )
    frontend = Frontend(FRONTEND)
    train, valid = (
        [features(named.load(name).of(split), frontend, bar(f"{name}, {split}")) for name in corpora]
        for split in ("train", "valid")
    )
    draw = varied(train, frontend, batch, seed)
    validation = plain(valid, frontend, batch, validation_excerpts, VALIDATION_SEED)
    recipe.train_masker(folder, draw, validation, network, standardise, options)
