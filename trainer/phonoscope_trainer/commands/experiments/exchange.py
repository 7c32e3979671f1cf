"""`phonoscope-train experiment exchange`: whether what regions hold is what answers rest on, by exchange of music."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np

from phonoscope_trainer.commands.experiments.judged_bundle import JudgedBundle, add_bundle, bar_over
from phonoscope_trainer.commands.options import Verbs
from phonoscope_trainer.corpora.corpus import Split
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.experiments.explanation import exchange, exchange_figure
from phonoscope_trainer.experiments.explanation.answers import right_answers
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend

DEFAULTS = exchange.ExchangeOptions()
USUAL = ("rendered", "mir1k", "real")
MEANING = """\
Erasing what is outside a region leaves the region's outline, and an outline can sing. So nothing is erased here: what
a region holds is carried into other music, the host, which the detector rightly and clearly answers the other way, at
the excerpt's own level.

  carried        the region's content in a host still gets the excerpt's answer; it should
  removed_flips  with a host's content in its region an excerpt loses its answer; it should
  silhouette     a third excerpt, seen through the region, gets the excerpt's answer over a host; it should no more
                 often than the host untouched, baseline_called
  voice_muted    where stems are there: the accompaniment alone, in the region, is called vocal; it should be no more
                 often than the accompaniment as a whole, accompaniment_alone
  controls       carried by as many bins elsewhere: random, smooth random fields; shifted, the region half an excerpt
                 later; other, the region of another excerpt with the same answer

`corpora` holds this of vocal answers, `instrumental` of the others, `rules` of every rule and baseline at the same
area, `level_spread` how far the rate of `carried` moves when recordings get quieter or louder.
"""


def add_experiment(experiments: Verbs) -> None:
    """`exchange`: carried, removed, the silhouette and the controls."""
    parser = experiments.add_parser(
        "exchange",
        help="whether what a region holds carries its answer into other music",
        description=MEANING,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--excerpts",
        type=int,
        default=DEFAULTS.excerpts,
        help="of each corpus at most, half of each answer (default %(default)s)",
    )
    parser.add_argument(
        "--draws", type=int, default=DEFAULTS.draws, help="hosts that each excerpt is tried in (default %(default)s)"
    )
    parser.add_argument(
        "--clear",
        type=float,
        default=DEFAULTS.clear,
        help="logits from the threshold that a host's answer lies at least (default %(default)s)",
    )
    parser.add_argument(
        "--split",
        choices=("test", "valid"),
        default="test",
        help="whose answers: valid is for choosing, test for saying what came of it (default %(default)s)",
    )
    parser.add_argument(
        "--rules",
        choices=("all", "default"),
        default="all",
        help="the default alone takes a tenth of the time: no other rules beside it, no levels (default %(default)s)",
    )
    add_bundle(parser, USUAL)
    parser.set_defaults(run=exchange_experiment)


def exchange_experiment(
    excerpts: int,
    draws: int,
    clear: float,
    split: Split,
    rules: str,
    **bundle: Any,  # noqa: ANN401 - the options of `add_bundle`, as argparse typed them
) -> None:
    """Carry, take away and look through the regions of right answers."""
    judged, options = JudgedBundle(**bundle), exchange.ExchangeOptions(excerpts, draws, clear=clear)
    explained, frontend = judged.explained(), Frontend(FRONTEND)
    baselines = judged.baselines(explained, USUAL)
    document: dict[str, dict[str, object]] = {"corpora": {}, "instrumental": {}, "rules": {}, "level_spread": {}}
    for name, tracks in judged.split(split, USUAL).items():
        found = right_answers(name, tracks, frontend, explained.margins_of, options.excerpts, options.seed)
        judge = exchange.Judge(explained, baselines, found, options, bar_over(name))
        try:
            ranked, counts = judge.ranked()
            values = judge.default(ranked[explained.default], counts)
            beside, levels = (judge.beside(ranked, counts), judge.at_levels(counts)) if rules == "all" else ({}, {})
        except CorpusError as error:
            raise CorpusError(f"{name}: {error}") from error
        document["corpora"][name] = exchange.summary(values, found, vocal=True)
        document["instrumental"][name] = exchange.summary(values, found, vocal=False)
        document["rules"][name] = {rule: exchange.summary(each, found, vocal=True) for rule, each in beside.items()}
        document["level_spread"][name] = {rule: _spread(each) for rule, each in levels.items()}
    whole = document | {
        "rule": explained.default,
        "threshold": explained.threshold,
        "options": asdict(options),
        "split": split,
    }
    judged.leave(whole, "exchange", partial(exchange_figure.draw, whole))


def _spread(levels: dict[float, exchange.Values]) -> dict[str, object]:
    means = {f"{level_db:+g} dB": float(np.mean(values["carried"])) for level_db, values in levels.items()}
    return {"carried": means, "spread": max(means.values()) - min(means.values())}
