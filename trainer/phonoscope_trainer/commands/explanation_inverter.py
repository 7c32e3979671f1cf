"""`phonoscope-train explanation-inverter`: train the inverter that explanations are made with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from phonoscope_trainer.commands.options import Verbs, add_threads, bar
from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.excerpts import random_excerpts
from phonoscope_trainer.corpora.features import features
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes import explanation_inverter as recipe
from phonoscope_trainer.recipes.detector.modern import load_detector

if TYPE_CHECKING:
    from phonoscope_trainer.networks.inverter import Variant


def add(verbs: Verbs) -> None:
    """`explanation-inverter`: train it."""
    inverter = verbs.add_parser("explanation-inverter", help="train the inverter that explanations are made with")
    inverter.add_argument("--run", dest="folder", type=Path, required=True, help="folder of the run")
    inverter.add_argument("--detector", type=Path, required=True, help="run of the detector to invert")
    inverter.add_argument("--epochs", type=int, default=30, help="passes over the excerpts (default %(default)s)")
    inverter.add_argument("--excerpts", type=int, default=12_000, help="training excerpts (default %(default)s)")
    inverter.add_argument(
        "--variant",
        choices=("table", "final-convolution"),
        default="table",
        help="31 877 or 31 887 parameters (default %(default)s)",
    )
    add_threads(inverter)
    inverter.set_defaults(run=train_explanation_inverter)


def train_explanation_inverter(
    folder: Path, detector: Path, epochs: int, excerpts: int, variant: Variant, threads: int
) -> None:
    """Train the explanation inverter on the detector's features of its own training music."""
    torch.set_num_threads(threads)
    options = recipe.InverterOptions(epochs=epochs, excerpts=excerpts, variant=variant)
    network, standardise = load_detector(detector)
    frontend = Frontend(FRONTEND)
    names = checkpoint.options(detector)["corpora"]
    share = options.excerpts // len(names)
    music = (features(named.load(name).of("train"), frontend, bar(name)) for name in names)
    drawn = [standardise(random_excerpts(tracks, share, frontend, options.seed)) for tracks in music]
    pairs = recipe.encode(torch.cat(drawn), network)
    recipe.train_inverter(folder, pairs, options)
