"""`phonoscope-train average`: one detector out of several that went on from the same one."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from phonoscope_trainer.commands.calibrate import calibrate_where_possible
from phonoscope_trainer.commands.options import Verbs, add_threads
from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.folder import licensed
from phonoscope_trainer.corpora.record import record
from phonoscope_trainer.recipes.detector import average

EPILOG = """\
  phonoscope-train detector --run runs/a --start runs/detector --seed 1 --level-agreement 1
  phonoscope-train detector --run runs/b --start runs/detector --seed 2
  phonoscope-train average --run runs/mean runs/a runs/b

The mean is calibrated on the valid splits of what its runs learned from, as any detector is, and exported like one.
"""


def add(verbs: Verbs) -> None:
    """`average`: of detectors."""
    parser = verbs.add_parser(
        "average",
        help="make one detector out of several that went on from the same one",
        description=average.__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--run", dest="folder", type=Path, required=True, help="folder of the run that is made")
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="finished runs, with the same --start")
    add_threads(parser)
    parser.set_defaults(run=average_runs)


def average_runs(folder: Path, runs: Sequence[Path], threads: int) -> None:
    """Average runs, and calibrate what comes of it."""
    torch.set_num_threads(threads)
    options = average.average_detectors(folder, runs)
    loaded = [licensed(named.load(name), options.licence) for name in options.corpora]
    record(folder, dict(zip(options.corpora, loaded, strict=True)))
    calibrate_where_possible(folder, loaded)
