"""`phonoscope-train experiment sanity`: explanations without what was learnt, and after harmless changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from phonoscope_trainer.commands.judged_bundle import add_bundle, bar_over, figure_path, tested
from phonoscope_trainer.commands.options import Verbs, write
from phonoscope_trainer.experiments import sanity, trust_figures
from phonoscope_trainer.experiments.explained_network import network_of_bundle
from phonoscope_trainer.frontend import FRONTEND, Frontend

DEFAULTS = sanity.SanityOptions()


def add_experiment(experiments: Verbs) -> None:
    """`sanity`: cascading randomisation, and stability."""
    parser = experiments.add_parser(
        "sanity", help="whether explanations depend on what was learnt, and not on level or on a frame"
    )
    parser.add_argument("--excerpts", type=int, default=DEFAULTS.excerpts, help="of each corpus (default %(default)s)")
    add_bundle(parser)
    parser.set_defaults(run=sanity_experiment)


def sanity_experiment(
    excerpts: int,
    model_repository: Path,
    masker: Path | None,
    corpora: Sequence[str] | None,
    figures: Path | None,
    threads: int,
    json_path: Path | None,
) -> None:
    """Take the detector's weights away layer by layer; change excerpts by little."""
    torch.set_num_threads(threads)
    options = sanity.SanityOptions(excerpts)
    explained = network_of_bundle(model_repository, masker, threads)
    frontend = Frontend(FRONTEND)
    drawn, track, first = [], [], 0
    for name, tracks in tested(corpora).items():
        log_mel, of_corpus = sanity.places(name, tracks, frontend, options)
        drawn.append(log_mel)
        track.append(of_corpus + first)
        first += int(of_corpus.max()) + 1
    document = sanity.measure(torch.cat(drawn), np.concatenate(track), explained, options, bar_over("sanity"))
    document |= {"rule": explained.default, "options": asdict(options)}
    if path := figure_path(figures, json_path, "sanity"):
        trust_figures.draw_sanity(document, path)
    write(document, json_path)
