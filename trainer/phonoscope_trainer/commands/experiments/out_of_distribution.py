"""`phonoscope-train experiment out-of-distribution`: whether the flag tells wrong answers and foreign sound."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from phonoscope_trainer.commands.doubt import seen_foreign, seen_music
from phonoscope_trainer.commands.options import Verbs, add_fields, add_figures, add_json, add_threads, bar, names, write
from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.features import features
from phonoscope_trainer.corpora.foreign import KINDS
from phonoscope_trainer.experiments.trust import doubt_figure, out_of_distribution
from phonoscope_trainer.experiments.trust.doubt_candidates import Candidates
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend
from phonoscope_trainer.networks.label import threshold_logit
from phonoscope_trainer.recipes.doubt.excerpts import Ear, Seen, of_music, some_of_each_kind
from phonoscope_trainer.recipes.doubt.run import DoubtOptions, FittedDoubt, load_doubt
from phonoscope_trainer.repository.doubt import doubt_of
from phonoscope_trainer.repository.shipped_graphs import network_of, session_of, standardise_of, threshold_of

DEFAULTS = DoubtOptions(recordings=24, pieces=24, sounds=6)
USUAL = ("real", "mir1k")
SONGS = "songs"  # a folder of labelled songs among the corpora
FITTED = ("real", "mir1k", "rendered")  # music that candidates are fitted to, as far as it is there
FLAGGED_PERCENT = 99  # of validation music lies below what is flagged
MEANING = """\
One number an excerpt tells how far the answer is to be doubted. It is judged by two things:

  auroc_wrong    on real music that nobody learned from: the chance that a wrong answer gets more doubt than a right one
  auroc_foreign  the chance that foreign sound gets more doubt than that music, mean over kinds of sound: speech, noise,
                 sweeps, sirens, animals, clipped and narrow music, silence; auroc_foreign_untaught is of those kinds
                 that nothing was fitted to

`candidates` holds the same of everything else that was thought of, plain confidence among it, and of each kind of
sound; `flagged`, how much of each family and kind is flagged, `flagged_answers`, how much of wrong and of right answers
to music, and `error`, how often answers are wrong. Choose on
`--split valid`; the test split is for what was chosen.
"""


def add_experiment(experiments: Verbs) -> None:
    """`out-of-distribution`: wrong answers and foreign sound."""
    parser = experiments.add_parser(
        "out-of-distribution",
        help="whether the out-of-distribution flag tells wrong answers and foreign sound",
        description=MEANING,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model-repository", type=Path, default=Path("model_repository"), help="(default %(default)s)")
    parser.add_argument("--doubt", type=Path, metavar="RUN", help="judge this run's doubt, not the bundle's")
    parser.add_argument(
        "--corpora", type=names, help=f"that are judged on (default: of {', '.join(USUAL)} those that are there)"
    )
    parser.add_argument("--songs", type=Path, help="a folder of labelled songs, judged as well (default: that of data)")
    parser.add_argument("--split", choices=("valid", "test"), default="test", help="(default %(default)s)")
    meanings = {
        "recordings": "of each kind of a corpus, at most",
        "pieces": "of each kind of a corpus, each of 16 excerpts",
        "sounds": "of each kind of foreign sound",
        "seed": "of everything drawn",
    }
    add_fields(parser, DEFAULTS, meanings)
    add_figures(parser)
    add_threads(parser)
    add_json(parser)
    parser.set_defaults(run=out_of_distribution_experiment)


def out_of_distribution_experiment(
    model_repository: Path,
    doubt: Path | None,
    corpora: Sequence[str] | None,
    songs: Path | None,
    split: out_of_distribution.JudgedSplit,
    recordings: int,
    pieces: int,
    sounds: int,
    seed: int,
    figures: Path | None,
    threads: int,
    json_path: Path | None,
) -> None:
    """Judge what is served beside every candidate."""
    torch.set_num_threads(threads)
    ear = _ear(model_repository, threads)
    at = threshold_logit(threshold_of(model_repository))
    judged = tuple(corpora or [name for name in USUAL if named.find(name)] or USUAL[:1])
    fitted = tuple(name for name in dict.fromkeys((*FITTED, *judged)) if ":" in name or named.find(name))
    options = DoubtOptions("", judged, recordings, pieces, sounds, seed)
    served = _served(model_repository, doubt, ear)
    candidates = Candidates.fitted(seen_music(fitted, "train", ear, options), served.doubt, at)
    music = seen_music(judged, split, ear, options)
    if split == "test":
        music += _songs(songs, ear, options)
    foreign = seen_foreign(split, tuple(KINDS), judged, ear, options)
    limit = served.quantiles[FLAGGED_PERCENT]
    document = out_of_distribution.document(candidates, music, foreign, limit)
    document |= {"split": split, "options": asdict(options)}
    print(out_of_distribution.table(document), file=sys.stderr)
    if place := figures or (json_path and json_path.parent):
        place.mkdir(parents=True, exist_ok=True)
        doubt_figure.draw(document, place / f"{json_path.stem if json_path else 'out-of-distribution'}.png")
    write(document, json_path)


def _served(repository: Path, run: Path | None, ear: Ear) -> FittedDoubt:
    """A run's doubt, or the bundle's."""
    return load_doubt(run, ear.network) if run else FittedDoubt(*doubt_of(repository))


def _ear(repository: Path, threads: int) -> Ear:
    """The bundle's detector, and its explanation inverter, whose error was what was served once."""
    session = session_of(repository, "explanation_inverter", threads)

    def invert(fc8: torch.Tensor) -> torch.Tensor:
        excerpt = torch.zeros(len(fc8), 115, 80)
        return torch.from_numpy(session.run(["inverted"], {"fc8": fc8.numpy(), "excerpt": excerpt.numpy()})[0])

    return Ear(network_of(repository), standardise_of(repository), Frontend(FRONTEND), invert)


def _songs(folder: Path | None, ear: Ear, options: DoubtOptions) -> list[Seen]:
    """A folder of labelled songs, all of which are judged."""
    data = named.data_folder()
    place = folder or (data / SONGS if data else None)
    if place is None or not (folder or place.is_dir()):
        return []
    tracks = some_of_each_kind(named.load("folder", place).tracks, options.recordings)
    return of_music(SONGS, features(tracks, ear.frontend, bar(SONGS)), ear, options.pieces, options.seed)
