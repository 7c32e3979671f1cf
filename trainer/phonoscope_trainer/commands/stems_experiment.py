"""`phonoscope-train experiment stems`: whether explanations point at the voice, by true stems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from phonoscope_trainer.commands.judged_bundle import add_bundle, bar_over, figure_path, tested
from phonoscope_trainer.commands.options import Verbs, write
from phonoscope_trainer.experiments import stem_pictures, stems, trust_figures
from phonoscope_trainer.experiments.explained_network import network_of_bundle
from phonoscope_trainer.frontend import FRONTEND, Frontend

DEFAULTS = stems.StemOptions()


def add_experiment(experiments: Verbs) -> None:
    """`stems`: relevance mass, rank accuracy and the pointing game."""
    parser = experiments.add_parser("stems", help="whether explanations of singing point at the voice, by true stems")
    parser.add_argument(
        "--excerpts", type=int, default=DEFAULTS.excerpts, help="of each corpus, at most (default %(default)s)"
    )
    add_bundle(parser)
    parser.set_defaults(run=stems_experiment)


def stems_experiment(
    excerpts: int,
    model_repository: Path,
    masker: Path | None,
    corpora: Sequence[str] | None,
    figures: Path | None,
    threads: int,
    json_path: Path | None,
) -> None:
    """Compare regions with the voice's own energy, on sung excerpts that the detector gets right."""
    torch.set_num_threads(threads)
    options = stems.StemOptions(excerpts)
    explained = network_of_bundle(model_repository, masker, threads)
    frontend = Frontend(FRONTEND)
    by_corpus = {}
    for name, tracks in tested(corpora).items():
        sung = stems.sung_excerpts(name, tracks, frontend, explained, options)
        by_corpus[name] = (sung, stems.measure(sung, explained, options, bar_over(name)))
    document = stems.summary(by_corpus) | {"rule": explained.default, "options": asdict(options)}
    if path := figure_path(figures, json_path, "stems"):
        trust_figures.draw_stems(document, path)
        for name, (sung, _) in by_corpus.items():
            stem_pictures.draw_examples(sung, explained, path.with_name(f"{path.stem}-{name}.png"))
    write(document, json_path)
