"""`phonoscope-train detector`: train the singing-voice detector."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from phonoscope_trainer.commands.options import Verbs, bar, names
from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.features import features
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.frontend import FRONTEND, Frontend
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.recipes import detector as recipe
from phonoscope_trainer.recipes.band_statistics import band_statistics
from phonoscope_trainer.recipes.excerpts import ExcerptSampler


def add(verbs: Verbs) -> None:
    """`detector`: train it."""
    detector = verbs.add_parser("detector", help="train the singing-voice detector")
    detector.add_argument(
        "--run", dest="folder", type=Path, required=True, help="folder of the run; resumed if it exists"
    )
    detector.add_argument(
        "--corpora", type=names, help="comma-separated names (default: all that are there: rendered, mir1k)"
    )
    detector.add_argument("--updates", type=int, default=2500, help="optimiser steps (default %(default)s)")
    detector.add_argument("--threads", type=int, default=2, help="CPU threads (default %(default)s)")
    detector.add_argument("--seed", type=int, default=0)
    detector.set_defaults(run=train_detector)


def train_detector(folder: Path, corpora: Sequence[str] | None, updates: int, threads: int, seed: int) -> None:
    """Train the detector on the training splits of the named corpora."""
    chosen = tuple(corpora or named.available())
    if not chosen:
        raise CorpusError("no corpus to train on: `phonoscope-train corpus rendered` makes one from nothing")
    frontend = Frontend(FRONTEND)
    tracks = [features(named.load(name).of("train"), frontend, bar(name)) for name in chosen]
    options = recipe.DetectorOptions(updates=updates, threads=threads, seed=seed, corpora=chosen)
    sampler = ExcerptSampler(tracks, frontend, options.excerpts, seed)
    statistics = band_statistics([track for corpus in tracks for track in corpus], frontend)
    recipe.train_detector(folder, sampler.batch, Standardise(*statistics), options)
