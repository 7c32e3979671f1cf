"""`phonoscope-train experiment localisation`: whether relevance lies where the annotations say the label is."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from phonoscope_trainer.commands.experiments.judged_bundle import JudgedBundle, add_bundle, bar_over
from phonoscope_trainer.commands.options import Verbs, write
from phonoscope_trainer.experiments.adopted.shipped import shipped_listener
from phonoscope_trainer.experiments.trust import joined, localisation
from phonoscope_trainer.experiments.trust.joined_singing import joined_singing
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend
from phonoscope_trainer.repository.listeners import listener_of_bundle, listeners_of

DEFAULTS = localisation.LocalisationOptions()
USUAL = ("mir1k", "real", "rendered")
TAGGER = "tagger"
MEANING = """\
Of the detector, excerpts that are sung in part, as people have annotated them; of the tagger, rendered songs that
change their genre and nothing else. All are excerpts to which the listener gives the label.

  auc               listener → rule → how often the relevance of a frame with the label is above another's, excerpt by
                    excerpt
  auc_intervals     the same with 95 % intervals, recordings drawn
  ff                the probability that goes with a region as large as the default rule's own
  per_corpus        of the detector; where stems tell whose each bin is, with time_frequency: AUC of bins
  joined            of the detector: the same of singing joined to other music that is as loud, so that loudness tells
                    nothing: in recordings a voice is louder than its own pauses
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
        "--excerpts", type=int, default=DEFAULTS.excerpts, help="of each corpus and kind, at most (default %(default)s)"
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
    recorded: dict[str, tuple[localisation.PartlySung, localisation.Values]] = {}
    together: dict[str, tuple[localisation.PartlySung, localisation.Values]] = {}
    for name, tracks in judged.split("test", USUAL).items():
        for made, found in ((localisation.partly_sung, recorded), (joined_singing, together)):
            chosen = made(name, tracks, frontend, explained, options)
            found[name] = (chosen, localisation.measure(chosen, explained, options, bar_over(name)))
    measured: dict[str, dict[str, Any]] = {"detector": localisation.summary(recorded)}
    rules = {"detector": explained.default}
    if TAGGER in listeners_of(judged.model_repository):
        shipped = shipped_listener(judged.model_repository, judged.threads, TAGGER)
        differentiable = listener_of_bundle(judged.model_repository, TAGGER)
        songs_of = joined.joined_genres(shipped, options, bar_over(TAGGER))
        values = joined.measure_joined(songs_of, shipped, differentiable, options, bar_over(TAGGER))
        measured[TAGGER], rules[TAGGER] = joined.summary_of(songs_of, values), shipped.default
    document = {
        "auc": {name: {rule: rate["mean"] for rule, rate in each["time"].items()} for name, each in measured.items()},
        "auc_intervals": {name: each["time"] for name, each in measured.items()},
        "ff": {name: each["ff"] for name, each in measured.items()},
        "n": {name: each["n"] for name, each in measured.items()},
        "per_corpus": measured["detector"]["per_corpus"],
        "joined": localisation.summary(together),
        "rule": rules,
        "options": asdict(options),
    }
    write(document, judged.json_path)
