"""`phonoscope-train experiment maximisation`: what a unit wants to hear, judged as the paper of 2019 judges it."""

from __future__ import annotations

from pathlib import Path

from phonoscope_trainer.commands.maximisation_search import (
    add_search,
    draw_settings,
    latent_maximiser,
    music_responses,
    opened_search,
)
from phonoscope_trainer.commands.options import Verbs, add_figures, add_json, write
from phonoscope_trainer.experiments.maximisation import examples as experiment
from phonoscope_trainer.experiments.maximisation import figures as figures_of
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.maximisation.search import search


def add_experiment(experiments: Verbs) -> None:
    """`maximisation`: the paper's tables and figures."""
    maximisation = experiments.add_parser("maximisation", help="what a unit of the detector wants to hear")
    add_search(maximisation, required=False)
    add_figures(maximisation)
    add_json(maximisation)
    maximisation.set_defaults(run=maximisation_experiment)


def maximisation_experiment(
    folder: Path, threads: int, figures: Path | None, json_path: Path | None, **given: object
) -> None:
    """Search, or take a search that is finished, and measure what its best setting makes."""
    options, listener = opened_search(folder, threads, given)
    real = music_responses(folder, listener, options)
    with latent_maximiser(listener, options, threads) as maximiser:
        tried = search(folder, maximiser, real.ranked(options.examples, options.sign), options)
        found = experiment.examples(listener, maximiser, tried[0], options)
    document = experiment.document(tried, found, real, options)
    document["training"] = checkpoint.options(Path(options.generator))
    if place := figures or (json_path and json_path.parent):
        place.mkdir(parents=True, exist_ok=True)
        stem = json_path.stem if json_path else "maximisation"
        figures_of.draw_examples(found, place / f"{stem}-examples.png")
        figures_of.draw_grid(document, place / f"{stem}-grid.png")
        draw_settings(tried, listener, options, place / f"{stem}-settings.png")
    write(document, json_path)
