"""`phonoscope-train detector`: train the singing-voice detector."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from tqdm import tqdm

from phonoscope_trainer.commands.calibrate import calibrate_where_possible
from phonoscope_trainer.commands.options import Verbs, add_threads, bar, names
from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.features import Features, features
from phonoscope_trainer.corpora.folder import licensed
from phonoscope_trainer.corpora.record import record
from phonoscope_trainer.corpora.teacher import TEACHERS, taught
from phonoscope_trainer.errors import CorpusError, OptionsError
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import CONVOLUTIONS
from phonoscope_trainer.recipes.detector import modern, schlueter2015
from phonoscope_trainer.recipes.detector.band_statistics import band_statistics
from phonoscope_trainer.recipes.detector.excerpts import ExcerptOptions, ExcerptSampler
from phonoscope_trainer.recipes.detector.level_agreement import LevelAgreement
from phonoscope_trainer.recipes.detector.published_excerpts import PublishedSampler
from phonoscope_trainer.recipes.detector.variation import VariationOptions
from phonoscope_trainer.recipes.devices import DeviceName, chosen_device

UPDATES = {"modern": modern.DetectorOptions().updates, "schlueter-2015": schlueter2015.Schlueter2015Options().updates}


def add(verbs: Verbs) -> None:
    """`detector`: train it."""
    detector = verbs.add_parser("detector", help="train the singing-voice detector")
    detector.add_argument(
        "--run", dest="folder", type=Path, required=True, help="folder of the run; resumed if it exists"
    )
    detector.add_argument(
        "--recipe", choices=sorted(UPDATES), default="modern", help="how to train (default: %(default)s)"
    )
    detector.add_argument(
        "--corpora",
        type=names,
        metavar="NAME[:PATH],…",
        help="comma-separated, such as folder:MUSIC,mir1k (default: every labelled corpus that is found)",
    )
    detector.add_argument(
        "--licence",
        default="",
        metavar="TEXT",
        help="of your recordings, where no column of their folder's manifest says it; goes into the bundle's manifest",
    )
    detector.add_argument(
        "--teacher",
        choices=tuple(TEACHERS),
        help="a public model whose answers are learned from recordings that a model labelled, where it is sure, and "
        "which clears labels that are notes of frames it hears otherwise (extra `teacher`; default: none)",
    )
    updates = ", ".join(f"{recipe} {count}" for recipe, count in UPDATES.items())
    detector.add_argument("--updates", type=int, help=f"optimiser steps (default: {updates})")
    add_threads(detector)
    detector.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="auto: a GPU where there is one"
    )
    detector.add_argument("--compile", dest="compiled", action="store_true", help="compile the network first")
    detector.add_argument("--seed", type=int, default=0)
    _add_cycle(detector)
    detector.set_defaults(run=train_detector)


def _add_cycle(detector: argparse.ArgumentParser) -> None:
    cycle = detector.add_argument_group("the modern recipe")
    cycle.add_argument("--start", type=Path, help="a finished run, or a bundle, to go on from, through another cycle")
    cycle.add_argument(
        "--keep-convolutions",
        nargs="?",
        choices=tuple(CONVOLUTIONS),
        const=tuple(CONVOLUTIONS)[-1],
        default="",
        metavar="LAST",
        help="with --start: only what follows convolution LAST learns (%(choices)s; without it the fully connected "
        "layers alone), and inverters of the layers before stay valid",
    )
    cycle.add_argument(
        "--learning-rate", type=float, help=f"at its peak (default {modern.DetectorOptions().learning_rate:g})"
    )
    cycle.add_argument(
        "--level-db",
        type=float,
        help=f"standard deviation of the level that excerpts are played at (default {VariationOptions().level_db:g})",
    )
    cycle.add_argument(
        "--level-agreement",
        type=float,
        metavar="WEIGHT",
        help="hear every excerpt at a second level, too, and add to the loss how far the two answers differ, times "
        "this; takes twice the time (default 0: at one level)",
    )


def train_detector(
    folder: Path,
    recipe: Literal["modern", "schlueter-2015"],
    corpora: Sequence[str] | None,
    licence: str,
    teacher: str | None,
    updates: int | None,
    threads: int,
    device: DeviceName,
    compiled: bool,
    seed: int,
    start: Path | None,
    keep_convolutions: str,
    learning_rate: float | None,
    level_db: float | None,
    level_agreement: float | None,
) -> None:
    """Train the detector on the training splits of the named corpora, and calibrate it on their valid splits."""
    chosen = tuple(corpora or named.available())
    if not chosen:
        raise CorpusError("no corpus to train on: `phonoscope-train corpus rendered` makes one from nothing")
    make = modern.DetectorOptions if recipe == "modern" else schlueter2015.Schlueter2015Options
    options = make(
        updates=UPDATES[recipe] if updates is None else updates,
        threads=threads,
        device=device,
        compiled=compiled,
        seed=seed,
        corpora=chosen,
        teacher=teacher or "",
        licence=licence,
    )
    if isinstance(options, modern.DetectorOptions):
        varied = VariationOptions() if level_db is None else VariationOptions(level_db=level_db)
        options = replace(
            options,
            start=str(start or ""),
            keep_convolutions=keep_convolutions,
            learning_rate=options.learning_rate if learning_rate is None else learning_rate,
            excerpts=ExcerptOptions(variation=varied),
            level_agreement=LevelAgreement() if level_agreement is None else LevelAgreement(level_agreement),
        )
    elif start or keep_convolutions or {learning_rate, level_db, level_agreement} != {None}:
        raise OptionsError(
            "--start, --keep-convolutions, --learning-rate, --level-db and --level-agreement belong to the "
            "modern recipe"
        )
    chosen_device(device)  # fails now, not after an hour of reading corpora
    frontend = Frontend(FRONTEND)
    loaded = [licensed(named.load(name), licence) for name in chosen]
    record(folder, dict(zip(chosen, loaded, strict=True)))
    tracks = [features(each.of("train"), frontend, bar(name)) for name, each in zip(chosen, loaded, strict=True)]
    if teacher:
        tracks = [
            [taught(track, teacher) for track in tqdm(each, desc=f"{teacher} on {name}", unit="track")]
            for name, each in zip(chosen, tracks, strict=True)
        ]
    run(folder, tracks, frontend, options)
    calibrate_where_possible(folder, loaded)


def run(
    folder: Path,
    corpora: Sequence[Sequence[Features]],
    frontend: Frontend,
    options: modern.DetectorOptions | schlueter2015.Schlueter2015Options,
) -> None:
    """Train on features that are there, by the recipe the options belong to."""
    every = [track for corpus in corpora for track in corpus]
    standardise = Standardise(*band_statistics(every, frontend))
    device = chosen_device(options.device)
    if isinstance(options, modern.DetectorOptions):
        draw = ExcerptSampler(corpora, frontend, options.excerpts, options.seed, device).batch
        modern.train_detector(folder, draw, standardise, options)
    else:
        single = PublishedSampler(every, frontend, standardise, options.excerpts, options.seed, device)
        schlueter2015.train_detector(folder, single.batch, standardise, options)
