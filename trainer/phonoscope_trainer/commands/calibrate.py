"""`phonoscope-train calibrate`: make a detector's probabilities mean what they say, and choose its threshold."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from phonoscope_trainer.commands.options import Verbs, add_threads, bar, names
from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.corpus import Corpus
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.measures.calibrated_run import calibrate
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.detector.calibration import Calibration


def add(verbs: Verbs) -> None:
    """`calibrate`: fit calibration and threshold of a run again."""
    parser = verbs.add_parser(
        "calibrate",
        help="fit a detector's calibration and threshold on valid splits; training ends with it",
        description="What was trained on the run's detector before, such as a masker, was trained on the one it was.",
    )
    parser.add_argument("--run", dest="folder", type=Path, required=True, help="run of the detector")
    parser.add_argument(
        "--corpora", type=names, help="on whose valid splits (default: of the corpora that it was trained on)"
    )
    add_threads(parser)
    parser.set_defaults(run=calibrate_run)


def calibrate_run(folder: Path, corpora: Sequence[str] | None, threads: int) -> None:
    """Calibrate the detector of a run."""
    torch.set_num_threads(threads)
    chosen = corpora or checkpoint.options(folder)["corpora"]
    _show(calibrate(folder, [named.load(name) for name in chosen], bar("valid")))


def calibrate_where_possible(folder: Path, corpora: Sequence[Corpus]) -> None:
    """Calibrate a run that has just been trained; where nothing can be chosen on, say so, for the training is done."""
    try:
        _show(calibrate(folder, corpora, bar("valid")))
    except OptionsError as error:
        print(f"not calibrated: {error}", file=sys.stderr)


def _show(calibration: Calibration) -> None:
    """A line for each family, then what was chosen, on standard error."""
    for name, family in calibration.families.items():
        worst = f"worst {family.worst_group}, {family.worst_group_error:.3f}" if family.groups > 1 else ""
        print(f"{name:40}  {family.groups:>4} groups, error {family.error:.3f}  {worst}".rstrip(), file=sys.stderr)
    print(
        f"calibrated: logit × {calibration.scale:.3g} {calibration.offset:+.3g}, threshold {calibration.threshold:g}; "
        f"calibration error {calibration.calibration_error_before:.3f} → {calibration.calibration_error:.3f}",
        file=sys.stderr,
    )
