"""`phonoscope-train experiment localisation`: whether relevance lies where the annotations say the label is."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from phonoscope_trainer.commands.experiments.judged_bundle import JudgedBundle, add_bundle, bar_over
from phonoscope_trainer.commands.options import Verbs, write
from phonoscope_trainer.experiments.adopted.shipped import shipped_listener
from phonoscope_trainer.experiments.trust import joined, localisation
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend
from phonoscope_trainer.repository.listeners import listener_of_bundle, listeners_of

MEASURES = ("time", "time_frequency", "ff")
DEFAULTS = localisation.LocalisationOptions()
USUAL = ("mir1k", "real", "rendered")
TAGGER = "tagger"
MEANING = """\
Of the detector, excerpts that are sung in part, by people's annotations or the stems, and that it calls vocal. Of the
tagger, rendered songs that change their genre and nothing else, and that it calls by one of the two.

  auc               listener → rule → how often the relevance of a frame with the label is above another's, excerpt by
                    excerpt
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
    parser.add_argument(
        "--songs",
        type=int,
        default=DEFAULTS.songs,
        help="that change their genre, in every pair of genres (default %(default)s)",
    )
    add_bundle(parser, USUAL)
    parser.set_defaults(run=localisation_experiment)


def localisation_experiment(
    excerpts: int,
    songs: int,
    **bundle: Any,  # noqa: ANN401 - the options of `add_bundle`, as argparse typed them
) -> None:
    """Compare relevance with annotations, on excerpts that change from one kind to the other."""
    judged, options = JudgedBundle(**bundle), localisation.LocalisationOptions(excerpts, songs)
    explained, frontend = judged.explained(), Frontend(FRONTEND)
    by_corpus = {}
    for name, tracks in judged.split("test", USUAL).items():
        chosen = localisation.partly_sung(name, tracks, frontend, explained, options)
        by_corpus[name] = (chosen, localisation.measure(chosen, explained, options, bar_over(name)))
    found: dict[str, Any] = localisation.summary(by_corpus)
    measures = {"detector": {name: found[name] for name in MEASURES if name in found}}
    counts, rules = {"detector": found["n"]}, {"detector": explained.default}
    if TAGGER in listeners_of(judged.model_repository):
        shipped = shipped_listener(judged.model_repository, judged.threads, TAGGER)
        differentiable = listener_of_bundle(judged.model_repository, TAGGER)
        chosen_songs = joined.joined_genres(shipped, options, bar_over(TAGGER))
        values = joined.measure_joined(chosen_songs, shipped, differentiable, options, bar_over(TAGGER))
        measures[TAGGER] = joined.summary_of(chosen_songs, values)
        counts[TAGGER], rules[TAGGER] = len(chosen_songs), shipped.default
    document = {
        "auc": {
            listener: {name: rate["mean"] for name, rate in each["time"].items()} for listener, each in measures.items()
        },
        "auc_intervals": {listener: each["time"] for listener, each in measures.items()},
        "time_frequency": {listener: each.get("time_frequency", {}) for listener, each in measures.items()},
        "ff": {listener: each["ff"] for listener, each in measures.items()},
        "per_corpus": found["per_corpus"],
        "n": counts,
        "rule": rules,
        "options": asdict(options),
    }
    write(document, judged.json_path)
