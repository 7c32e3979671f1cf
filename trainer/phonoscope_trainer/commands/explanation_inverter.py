"""`phonoscope-train explanation-inverter`: train the inverter that explanations are made with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from phonoscope_trainer.commands.listener_training import learnt_inverters, music_at_hand
from phonoscope_trainer.commands.options import Verbs, add_threads, bar, names
from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.excerpts import random_excerpts
from phonoscope_trainer.corpora.features import features
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes import explanation_inverter as recipe
from phonoscope_trainer.recipes.detector.modern import load_detector
from phonoscope_trainer.recipes.layer_inversion.training import LayerInversionOptions
from phonoscope_trainer.repository.listeners import listener_of_bundle

if TYPE_CHECKING:
    from phonoscope_trainer.networks.inverter import Variant


LISTENERS = LayerInversionOptions()


def add(verbs: Verbs) -> None:
    """`explanation-inverter`: train it."""
    inverter = verbs.add_parser("explanation-inverter", help="train the inverter that explanations are made with")
    inverter.add_argument("--run", dest="folder", type=Path, required=True, help="folder of the run")
    inverted = inverter.add_mutually_exclusive_group(required=True)
    inverted.add_argument("--detector", type=Path, help="run of the detector to invert")
    inverted.add_argument("--listener", help="name of a bundle's listener, of which the deepest layer is inverted")
    inverter.add_argument(
        "--model-repository", type=Path, default=Path("model_repository"), help="of the listener (default %(default)s)"
    )
    inverter.add_argument(
        "--corpora", type=names, default=(), help="that the listener's learns from (default: what is there)"
    )
    inverter.add_argument(
        "--updates", type=int, default=LISTENERS.updates, help="of the listener's (default %(default)s)"
    )
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
    folder: Path,
    detector: Path | None,
    listener: str | None,
    model_repository: Path,
    corpora: tuple[str, ...],
    updates: int,
    epochs: int,
    excerpts: int,
    variant: Variant,
    threads: int,
) -> None:
    """Train the explanation inverter on the detector's features of its own training music, or a listener's."""
    torch.set_num_threads(threads)
    if listener is not None:
        trained = listener_of_bundle(model_repository, listener)
        deepest = tuple(trained.layers())[-1:]
        learnt_inverters(folder, music_at_hand(corpora, trained), LayerInversionOptions(deepest, updates))
        return
    assert detector is not None  # one of the two is required
    options = recipe.InverterOptions(epochs=epochs, excerpts=excerpts, variant=variant)
    network, standardise = load_detector(detector)
    frontend = Frontend(FRONTEND)
    learnt_from = checkpoint.options(detector)["corpora"]
    share = options.excerpts // len(learnt_from)
    music = (features(named.load(name).of("train"), frontend, bar(name)) for name in learnt_from)
    drawn = [standardise(random_excerpts(tracks, share, frontend, options.seed)) for tracks in music]
    pairs = recipe.encode(torch.cat(drawn), network)
    recipe.train_inverter(folder, pairs, options)
