"""`phonoscope-train tagger`: train the network whose features are listened to."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch

from phonoscope_trainer.commands.options import Verbs, add_fields, add_threads
from phonoscope_trainer.corpora import genres, labelled
from phonoscope_trainer.corpora.features import cache_folder
from phonoscope_trainer.corpora.labelled import LabelledMusic
from phonoscope_trainer.networks.tagger import VARIANTS, Variant
from phonoscope_trainer.recipes.tagger import training as recipe
from phonoscope_trainer.recipes.tagger.clips import of_split

DEFAULTS = recipe.TaggerOptions(labels=tuple(genres.GENRES))


def add(verbs: Verbs) -> None:
    """`tagger`: train it."""
    tagger = verbs.add_parser("tagger", help="train the genre tagger that auralisation listens to")
    tagger.add_argument(
        "--run", dest="folder", type=Path, required=True, help="folder of the run; resumed if it exists"
    )
    tagger.add_argument(
        "--songs",
        type=Path,
        help="folder of labelled recordings: class = sub-folder, or a labels.csv with columns file,label"
        " (default: songs rendered as ballad, dance and hip-hop; made when they are not there)",
    )
    tagger.add_argument(
        "--variant",
        choices=VARIANTS,
        default=DEFAULTS.variant,
        help="2016: five layers of 3×3; 2015: four, the first 12×12 (default %(default)s)",
    )
    add_fields(
        tagger,
        DEFAULTS,
        {
            "updates": "optimiser steps",
            "batch": "clips in each",
            "learning_rate": "at its peak",
            "map_dropout": "chance that a convolution's map is dropped; the paper's is 0.5",
            "gain_db": "clips are louder or softer by up to this",
            "validate_every": "updates; the best network so far is kept, and a killed run goes on from there",
            "seed": "of everything drawn",
        },
    )
    tagger.add_argument("--float32", action="store_true", help="activations in float32 instead of bfloat16")
    add_threads(tagger)
    tagger.set_defaults(run=train_tagger)


def train_tagger(
    folder: Path, songs: Path | None, variant: Variant, float32: bool, threads: int, **others: int | float
) -> None:
    """Train on the training songs of a labelled folder."""
    torch.set_num_threads(threads)
    music = labelled.load(songs) if songs else rendered_genres(threads)
    options = recipe.TaggerOptions(
        variant=variant,
        bfloat16=not float32,
        labels=music.labels,
        music=music.digest,
        songs=str(songs or ""),
        **cast("dict[str, Any]", others),  # argparse gave them the types of the recipe's options
    )
    training, validation = (of_split(music, split, music.labels) for split in ("train", "valid"))
    recipe.train_tagger(
        folder,
        lambda step: training.draw(options.batch, options.gain_db, options.seed, step),
        validation.some(options.validation_clips),
        options,
    )


def rendered_genres(workers: int) -> LabelledMusic:
    """The rendered genre corpus in the cache, made where it is not there."""
    root = cache_folder() / "genres"
    if (root / labelled.LABELS).is_file():
        return labelled.load(root)
    return genres.render(root, genres.GenreOptions(), workers)
