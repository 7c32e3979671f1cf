"""`phonoscope-train experiment`: the papers' experiments, and what users ask of a detector."""

from __future__ import annotations

from pathlib import Path

from phonoscope_trainer.commands.options import Verbs, add_corpus, add_json, bar, write
from phonoscope_trainer.corpora import named
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.experiments import detector as detector_scores


def add(verbs: Verbs) -> None:
    """`experiment …`."""
    experiment = verbs.add_parser("experiment", help="run one of the papers' experiments")
    experiments = experiment.add_subparsers(required=True, metavar="EXPERIMENT")
    _add_detector(experiments)


def _add_detector(experiments: Verbs) -> None:
    scores = experiments.add_parser("detector", help="frame-wise scores on labelled recordings")
    scores.add_argument("--songs", type=Path, help="folder of audio with .lab files (all of it is judged)")
    add_corpus(scores, required=False)
    scores.add_argument("--run", dest="folder", type=Path, help="judge this training run instead of the bundle")
    scores.add_argument("--model-repository", type=Path, default=Path("model_repository"), help="(default %(default)s)")
    scores.add_argument("--threshold", type=float, help="(default: the bundle's, or .5 for a run)")
    add_json(scores)
    scores.set_defaults(run=detector_experiment)


def detector_experiment(
    songs: Path | None,
    corpus: str | None,
    root: Path | None,
    folder: Path | None,
    model_repository: Path,
    threshold: float | None,
    json_path: Path | None,
) -> None:
    """Judge a detector on a folder of songs, or on a corpus' test split."""
    if (songs is None) == (corpus is None):
        raise OptionsError("give either --songs DIR or --corpus NAME")
    if folder is not None:
        listener, chosen = detector_scores.run_listener(folder), 0.5
    else:
        listener, chosen = detector_scores.bundle_listener(model_repository)
    tracks = named.load("folder", songs).tracks if songs else named.load(corpus or "", root).of("test")
    threshold = chosen if threshold is None else threshold
    judged = detector_scores.judge(bar("songs")(tracks), listener, threshold)
    document = detector_scores.summary(judged, threshold)
    if all(track.accompaniment for track in tracks):
        document["test_auc"] = detector_scores.stem_auc(tracks, listener)
    write(document, json_path)
