"""`phonoscope-train feature-inverters`: what every layer keeps, the detector's or any listener's."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, cast

import torch

from phonoscope_trainer.commands.listener_training import learnt_inverters, music_at_hand
from phonoscope_trainer.commands.options import Verbs, add_fields, add_threads, bar, names
from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.features import features
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend
from phonoscope_trainer.networks.feature_inverters import VARIANTS, Variant
from phonoscope_trainer.networks.svdnet import LAYERS
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.detector.modern import load_detector
from phonoscope_trainer.recipes.feature_inversion import training as recipe
from phonoscope_trainer.recipes.feature_inversion.excerpts import PlaceSampler, pieces
from phonoscope_trainer.recipes.feature_inversion.objective import METHODS, Method
from phonoscope_trainer.recipes.feature_inversion.options import InversionOptions
from phonoscope_trainer.recipes.layer_inversion.training import LayerInversionOptions
from phonoscope_trainer.repository.listeners import listener_of_bundle

DEFAULTS, LISTENERS = InversionOptions(), LayerInversionOptions()
VALIDATION_SEED = 1  # what training draws begins with the run's own seed and the step


def add(verbs: Verbs) -> None:
    """`feature-inverters`: train them."""
    inverters = verbs.add_parser("feature-inverters", help="train the inverters of every layer, side by side")
    inverters.add_argument("--run", dest="folder", type=Path, required=True, help="folder of the run")
    inverted = inverters.add_mutually_exclusive_group(required=True)
    inverted.add_argument("--detector", type=Path, help="run of the detector to invert")
    inverted.add_argument("--listener", help="name of a bundle's listener to invert; the sizes follow from its layers")
    inverters.add_argument(
        "--layers",
        type=names,
        default=(),
        help="comma-separated (default: all; the detector's: " + ",".join(LAYERS) + ")",
    )
    _add_of_a_listener(inverters.add_argument_group("of a listener's, instead of what follows"))
    inverters.add_argument(
        "--method", choices=(*METHODS, "both"), default="joint", help="the loss (default %(default)s)"
    )
    inverters.add_argument("--variant", choices=VARIANTS, default=DEFAULTS.variant, help="(default %(default)s)")
    add_fields(
        inverters,
        DEFAULTS,
        {
            "epochs": "after each, the best on validation music is kept",
            "batches_per_epoch": "each passes through the detector once",
            "batch": "excerpts in it",
            "wide_updates": "in every batch, of the inverters of conv1 to conv5",
            "wide_rows": "excerpts that each of these updates learns from",
            "batch_statistics": "share of training in which batches are normalised by their own statistics",
            "learning_rate": "the first, or the highest of a one-cycle schedule",
            "adam_beta2": "memory of squared gradients",
            "feature_weight": "λ_feature of the joint loss",
            "feature_start": "share of training before it counts",
            "validation_excerpts": "drawn once",
            "sketch_pieces": "of music, twelve excerpts each, behind the sketches of fc7 and fc8",
            "seed": "of everything drawn",
        },
    )
    inverters.add_argument("--schedule", choices=("halving", "one-cycle"), default=DEFAULTS.schedule)
    inverters.add_argument(
        "--start", type=Path, help="a run of these layers and methods to go on from, for another cycle"
    )
    inverters.add_argument("--float32", action="store_true", help="activations in float32 instead of bfloat16")
    add_threads(inverters)
    inverters.set_defaults(run=train_feature_inverters)


def _add_of_a_listener(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--model-repository", type=Path, default=Path("model_repository"), help="(default %(default)s)")
    group.add_argument("--corpora", type=names, default=(), help="music to learn from (default: what is there)")
    for name, meaning in (("updates", "of each inverter"), ("excerpts", "of the train splits")):
        default = getattr(LISTENERS, name)
        group.add_argument(f"--{name}", type=int, default=default, help=f"{meaning} (default %(default)s)")


def train_feature_inverters(
    folder: Path,
    detector: Path | None,
    listener: str | None,
    model_repository: Path,
    corpora: tuple[str, ...],
    updates: int,
    excerpts: int,
    layers: Sequence[str],
    method: Method | Literal["both"],
    variant: Variant,
    start: Path | None,
    float32: bool,
    threads: int,
    **others: int | float | str,
) -> None:
    """Train the inverters of whichever was named, on the music at hand or that the detector was trained with."""
    torch.set_num_threads(threads)
    if listener is not None:
        trained = listener_of_bundle(model_repository, listener)
        asked = LayerInversionOptions(tuple(layers), updates, excerpts=excerpts, seed=int(others["seed"]))
        learnt_inverters(folder, music_at_hand(corpora, trained), asked)
        return
    assert detector is not None  # one of the two is required
    network, standardise = load_detector(detector)
    frontend = Frontend(FRONTEND)
    corpora = tuple(checkpoint.options(detector)["corpora"])
    options = InversionOptions(
        layers=tuple(layers) or LAYERS,
        methods=METHODS if method == "both" else (method,),
        variant=variant,
        bfloat16=not float32,
        start=str(start or ""),
        detector=str(detector),
        corpora=corpora,
        **cast("dict[str, Any]", others),  # argparse gave them the types of the recipe's options
    )
    music = {
        split: [features(named.load(name).of(split), frontend, bar(f"{name}, {split}")) for name in corpora]
        for split in ("train", "valid")
    }
    train, valid = (PlaceSampler(music[split], frontend, standardise) for split in ("train", "valid"))
    recipe.train_inverters(
        folder,
        lambda step: train.draw(options.batch, options.seed, step),
        pieces(music["train"], frontend, standardise, options.sketch_pieces),
        valid.draw(options.validation_excerpts, VALIDATION_SEED),
        network,
        options,
    )
