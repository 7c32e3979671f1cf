"""`phonoscope-train`: corpora, training, export and experiments from a terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from phonoscope_trainer import commands
from phonoscope_trainer.deployment import CPU, DEVICES
from phonoscope_trainer.errors import TrainerError

Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # add_subparsers returns no public type

EPILOG = """\
A whole bundle, from nothing:
  phonoscope-train corpus rendered --songs 200
  phonoscope-train detector --run runs/detector
  phonoscope-train explanation-inverter --detector runs/detector --run runs/inverter
  phonoscope-train export --detector runs/detector --inverter runs/inverter --name svdnet-mine
  phonoscope-train experiment detector --songs ~/Music/labelled --json out/detector.json

Every training command can be killed and run again: it goes on from its last checkpoint.
PHONOSCOPE_DATA names a folder of corpora (mir1k/, songs/); PHONOSCOPE_CACHE, where features and rendered songs go.
"""


def get_parser() -> argparse.ArgumentParser:
    """The whole command line, as data."""
    parser = argparse.ArgumentParser(
        "phonoscope-train",
        description="Train Phonoscope's networks, export them, and reproduce the papers' experiments.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_corpus_commands(verbs)
    _add_training_commands(verbs)
    _add_experiments(verbs)
    return parser


def _add_corpus_commands(verbs: Verbs) -> None:
    corpus = verbs.add_parser("corpus", help="make a corpus, or show what is there")
    corpora = corpus.add_subparsers(required=True, metavar="CORPUS")
    rendered = corpora.add_parser("rendered", help="render songs with exact stems and labels from a seed")
    rendered.add_argument("--songs", type=int, default=200, help="how many (default %(default)s)")
    rendered.add_argument("--seed", type=int, default=0, help="the same seed gives the same songs")
    rendered.add_argument(
        "--seconds",
        type=float,
        nargs=2,
        default=(45.0, 60.0),
        metavar=("SHORTEST", "LONGEST"),
        help="length of the songs",
    )
    rendered.add_argument("--out", type=Path, help="folder (default: rendered/ in the cache)")
    rendered.add_argument("--workers", type=int, default=2, help="songs rendered at once (default %(default)s)")
    rendered.set_defaults(run=commands.render_corpus)
    song = corpora.add_parser("song", help="render one song of the corpus as an audio file to listen to")
    song.add_argument("--seed", type=int, default=0)
    song.add_argument("--index", type=int, default=0, help="which song of that seed")
    song.add_argument("--out", type=Path, required=True, help="audio file; a .lab file is written beside it")
    song.set_defaults(run=commands.render_one_song)
    describe = corpora.add_parser("describe", help="tracks, splits, licence and digest of a corpus")
    _add_corpus(describe)
    describe.set_defaults(run=commands.describe_corpus)


def _add_training_commands(verbs: Verbs) -> None:
    detector = verbs.add_parser("detector", help="train the singing-voice detector")
    detector.add_argument(
        "--run", dest="folder", type=Path, required=True, help="folder of the run; resumed if it exists"
    )
    detector.add_argument(
        "--corpora", type=_names, help="comma-separated names (default: all that are there: rendered, mir1k)"
    )
    detector.add_argument("--updates", type=int, default=2500, help="optimiser steps (default %(default)s)")
    detector.add_argument("--threads", type=int, default=2, help="CPU threads (default %(default)s)")
    detector.add_argument("--seed", type=int, default=0)
    detector.set_defaults(run=commands.train_detector)

    inverter = verbs.add_parser("explanation-inverter", help="train the inverter that explanations are made with")
    inverter.add_argument("--run", dest="folder", type=Path, required=True, help="folder of the run")
    inverter.add_argument("--detector", type=Path, required=True, help="run of the detector to invert")
    inverter.add_argument("--epochs", type=int, default=30, help="passes over the excerpts (default %(default)s)")
    inverter.add_argument("--excerpts", type=int, default=12_000, help="training excerpts (default %(default)s)")
    inverter.add_argument(
        "--variant",
        choices=("table", "final-convolution"),
        default="table",
        help="31 877 or 31 887 parameters (default %(default)s)",
    )
    inverter.add_argument("--threads", type=int, default=2, help="CPU threads (default %(default)s)")
    inverter.set_defaults(run=commands.train_explanation_inverter)

    export = verbs.add_parser("export", help="write trained runs as a Triton model repository")
    export.add_argument("--detector", type=Path, required=True, help="run of the detector")
    export.add_argument("--inverter", type=Path, required=True, help="run of the explanation inverter")
    export.add_argument("--name", required=True, help="the bundle's name and version, such as svdnet-2026.11")
    export.add_argument("--out", type=Path, default=Path("model_repository"), help="(default %(default)s)")
    export.add_argument("--metrics", type=Path, nargs="*", default=[], help="JSON of experiments, kept in the manifest")
    _add_deployment(export)
    export.set_defaults(run=commands.export_bundle)

    deploy = verbs.add_parser("deploy", help="write an exported bundle for another device; graphs stay as they are")
    deploy.add_argument("--model-repository", type=Path, default=Path("model_repository"), help="(default %(default)s)")
    deploy.add_argument("--out", type=Path, required=True, help="folder; may be the model repository itself")
    _add_deployment(deploy)
    deploy.set_defaults(run=commands.deploy_bundle)


def _add_experiments(verbs: Verbs) -> None:
    experiment = verbs.add_parser("experiment", help="run one of the papers' experiments")
    experiments = experiment.add_subparsers(required=True, metavar="EXPERIMENT")
    scores = experiments.add_parser("detector", help="frame-wise scores on labelled recordings")
    scores.add_argument("--songs", type=Path, help="folder of audio with .lab files (all of it is judged)")
    _add_corpus(scores, required=False)
    scores.add_argument("--run", dest="folder", type=Path, help="judge this training run instead of the bundle")
    scores.add_argument("--model-repository", type=Path, default=Path("model_repository"), help="(default %(default)s)")
    scores.add_argument("--threshold", type=float, help="(default: the bundle's, or .5 for a run)")
    scores.add_argument(
        "--json", dest="json_path", type=Path, help="where the document goes (default: standard output)"
    )
    scores.set_defaults(run=commands.detector_experiment)


def _add_deployment(parser: argparse.ArgumentParser) -> None:
    server = parser.add_argument_group("on a stock Triton server")
    server.add_argument("--device", choices=DEVICES, default=CPU.device, help="(default %(default)s)")
    server.add_argument(
        "--instances",
        type=int,
        default=CPU.instances,
        help="of every graph, on the CPU or each GPU (default %(default)s)",
    )
    server.add_argument(
        "--half-precision", nargs="*", default=[], metavar="GRAPH", help="graphs TensorRT may round to 16 bits"
    )
    server.add_argument(
        "--engine-cache",
        default=CPU.engine_cache,
        metavar="DIR",
        help="where TensorRT keeps its engines on the server (default %(default)s)",
    )


def _add_corpus(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    parser.add_argument("--corpus", required=required, help="name of a corpus: rendered, mir1k or folder")
    parser.add_argument("--root", type=Path, help="where it is (default: PHONOSCOPE_DATA or the cache)")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; errors a person can act on are one line, without a traceback."""
    options = vars(get_parser().parse_args(arguments))
    run: Callable[..., None] = options.pop("run")
    try:
        run(**options)
    except TrainerError as error:
        print(f"phonoscope-train: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("phonoscope-train: stopped; run the same command again to go on", file=sys.stderr)
        return 130
    return 0
