"""`phonoscope-train experiment localisation`: whether relevance lies where the annotations say the label is."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from phonoscope_trainer.commands.experiments.judged_bundle import JudgedBundle, add_bundle, bar_over
from phonoscope_trainer.commands.options import Verbs, write
from phonoscope_trainer.experiments.trust import localisation
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend

DEFAULTS = localisation.LocalisationOptions()
USUAL = ("mir1k", "real", "rendered")
MEANING = """\
Excerpts that are sung in part, by people's annotations or the stems, and that the detector calls vocal.

  auc               listener → rule → how often a sung frame's relevance is above another's, excerpt by excerpt
  auc_intervals     the same with 95 % intervals, recordings drawn
  time_frequency    of bins, where stems tell whose each is
  ff                the probability that goes with a region as large as the default rule's own
"""


def add_experiment(experiments: Verbs) -> None:
    """`localisation`: AUC against annotations, and FF beside it."""
    parser = experiments.add_parser(
        "localisation",
        help="whether relevance lies where annotations say the label is",
        description=MEANING,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--excerpts", type=int, default=DEFAULTS.excerpts, help="of each corpus, at most (default %(default)s)"
    )
    add_bundle(parser, USUAL)
    parser.set_defaults(run=localisation_experiment)


def localisation_experiment(
    excerpts: int,
    **bundle: Any,  # noqa: ANN401 - the options of `add_bundle`, as argparse typed them
) -> None:
    """Compare relevance with annotations, on excerpts that change from one kind to the other."""
    judged, options = JudgedBundle(**bundle), localisation.LocalisationOptions(excerpts)
    explained, frontend = judged.explained(), Frontend(FRONTEND)
    by_corpus = {}
    for name, tracks in judged.split("test", USUAL).items():
        chosen = localisation.partly_sung(name, tracks, frontend, explained, options)
        by_corpus[name] = (chosen, localisation.measure(chosen, explained, options, bar_over(name)))
    found: dict[str, Any] = localisation.summary(by_corpus)
    document = {
        "auc": {"detector": {name: rate["mean"] for name, rate in found["time"].items()}},
        "auc_intervals": {"detector": found["time"]},
        "time_frequency": {"detector": found.get("time_frequency", {})},
        "ff": {"detector": found["ff"]},
        "per_corpus": found["per_corpus"],
        "n": found["n"],
        "rule": explained.default,
        "options": asdict(options),
    }
    write(document, judged.json_path)
