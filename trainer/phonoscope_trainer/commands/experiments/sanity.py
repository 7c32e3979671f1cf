"""`phonoscope-train experiment sanity`: explanations without what was learnt, and after harmless changes."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
import torch

from phonoscope_trainer.commands.experiments.judged_bundle import JudgedBundle, add_bundle, bar_over
from phonoscope_trainer.commands.options import Verbs
from phonoscope_trainer.experiments.trust import figures as trust_figures
from phonoscope_trainer.experiments.trust import sanity
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend

DEFAULTS = sanity.SanityOptions()


def add_experiment(experiments: Verbs) -> None:
    """`sanity`: cascading randomisation, and stability."""
    parser = experiments.add_parser(
        "sanity", help="whether explanations depend on what was learnt, and not on level or on a frame"
    )
    parser.add_argument("--excerpts", type=int, default=DEFAULTS.excerpts, help="of each corpus (default %(default)s)")
    parser.add_argument(
        "--draws",
        type=int,
        default=DEFAULTS.draws,
        help="of untrained weights, over which similarities are averaged (default %(default)s)",
    )
    add_bundle(parser)
    parser.set_defaults(run=sanity_experiment)


def sanity_experiment(
    excerpts: int,
    draws: int,
    **bundle: Any,  # noqa: ANN401 - the options of `add_bundle`, as argparse typed them
) -> None:
    """Take the detector's weights away layer by layer; change excerpts by little."""
    judged, options = JudgedBundle(**bundle), sanity.SanityOptions(excerpts, draws)
    explained = judged.explained()
    frontend = Frontend(FRONTEND)
    drawn, track, first = [], [], 0
    for name, tracks in judged.split("test").items():
        log_mel, of_corpus = sanity.places(name, tracks, frontend, options)
        drawn.append(log_mel)
        track.append(of_corpus + first)
        first += int(of_corpus.max()) + 1
    document = sanity.measure(torch.cat(drawn), np.concatenate(track), explained, options, bar_over("sanity"))
    document |= {"rule": explained.default, "options": asdict(options)}
    judged.leave(document, "sanity", partial(trust_figures.draw_sanity, document))
