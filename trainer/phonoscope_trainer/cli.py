"""`phonoscope-train`: corpora, training, export and experiments from a terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from phonoscope_trainer.command_line import PROGRAM, running
from phonoscope_trainer.commands import (
    adopt,
    average,
    calibrate,
    corpora,
    detector,
    doubt,
    everything,
    explanation_inverter,
    gan,
    masker,
    tagger,
)
from phonoscope_trainer.commands import export as exporting
from phonoscope_trainer.commands import feature_inverters as inversion
from phonoscope_trainer.commands import maximisation_search as maximisation
from phonoscope_trainer.commands.experiments import detector as experiments
from phonoscope_trainer.errors import TrainerError
from phonoscope_trainer.memory import keep_freed

EPILOG = """\
A whole bundle, from nothing:
  phonoscope-train corpus rendered --songs 200
  phonoscope-train detector --run runs/detector
  phonoscope-train explanation-inverter --detector runs/detector --run runs/inverter
  phonoscope-train masker --detector runs/detector --run runs/masker
  phonoscope-train doubt --detector runs/detector --run runs/doubt
  phonoscope-train feature-inverters --detector runs/detector --run runs/inverters
  phonoscope-train tagger --run runs/tagger
  phonoscope-train gan --detector runs/detector --run runs/gan
  phonoscope-train maximisation-search --gan runs/gan --run runs/maximisation
  phonoscope-train export --detector runs/detector --inverter runs/inverter --masker runs/masker --doubt runs/doubt \\
    --inverters runs/inverters --tagger runs/tagger --maximisation runs/gan runs/maximisation --name svdnet-mine
  phonoscope-train experiment detector --songs ~/Music/labelled --json out/detector.json

The same as one command, which goes on where it was stopped:
  phonoscope-train everything --scale cpu --name svdnet-mine

Every training command can be killed and run again: it goes on from its last checkpoint.
PHONOSCOPE_DATA names a folder of corpora (jamendo/, mir1k/, …; see `corpus list`);
PHONOSCOPE_CACHE, where features and rendered songs go.
"""


def get_parser() -> argparse.ArgumentParser:
    """The whole command line, as data."""
    parser = argparse.ArgumentParser(
        PROGRAM,
        description="Train Phonoscope's networks, export them, and reproduce the papers' experiments.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for family in (
        corpora,
        detector,
        average,
        calibrate,
        explanation_inverter,
        inversion,
        masker,
        doubt,
        gan,
        maximisation,
        tagger,
        exporting,
        adopt,
        everything,
        experiments,
    ):
        family.add(verbs)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; errors a person can act on are one line, without a traceback."""
    if arguments is None:  # the process is this command's own
        keep_freed()
    given = sys.argv[1:] if arguments is None else arguments
    options = vars(get_parser().parse_args(given))
    run: Callable[..., None] = options.pop("run")
    try:
        with running(given):
            run(**options)
    except TrainerError as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{PROGRAM}: stopped; run the same command again to go on", file=sys.stderr)
        return 130
    return 0
