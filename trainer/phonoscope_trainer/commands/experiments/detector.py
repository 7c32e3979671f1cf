"""`phonoscope-train experiment`: the papers' experiments, and what users ask of a detector."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from phonoscope_trainer.commands.experiments import adopted as adopted_experiment
from phonoscope_trainer.commands.experiments import auralisation as auralisation_experiment
from phonoscope_trainer.commands.experiments import exchange as exchange_experiment
from phonoscope_trainer.commands.experiments import explanation_loss, maximisation
from phonoscope_trainer.commands.experiments import inversion as inversion_experiment
from phonoscope_trainer.commands.experiments import localisation as localisation_experiment
from phonoscope_trainer.commands.experiments import out_of_distribution as ood_experiment
from phonoscope_trainer.commands.experiments import peers as peers_experiment
from phonoscope_trainer.commands.experiments import precision as precision_experiment
from phonoscope_trainer.commands.experiments import sanity as sanity_experiment
from phonoscope_trainer.commands.experiments import stems as stems_experiment
from phonoscope_trainer.commands.experiments import tagger as tagger_experiment
from phonoscope_trainer.commands.experiments import teacher as teacher_experiment
from phonoscope_trainer.commands.options import Verbs, add_corpus, add_figures, add_json, bar, write
from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.audio import read_sum
from phonoscope_trainer.corpora.corpus import SPLITS, Split, Track
from phonoscope_trainer.corpora.judged import judged
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.experiments.detector import figures as detector_figures
from phonoscope_trainer.experiments.detector import kinds_figure, stress, stress_figure, stress_sounds
from phonoscope_trainer.experiments.detector.beside_peer import beside_peer
from phonoscope_trainer.experiments.detector.judging import chosen_threshold, judge, stem_auc
from phonoscope_trainer.experiments.detector.scores import summary
from phonoscope_trainer.experiments.detector.table import table
from phonoscope_trainer.experiments.detector.unsung import called_sung
from phonoscope_trainer.frontends.mel import FRONTEND
from phonoscope_trainer.measures import listeners
from phonoscope_trainer.measures.calibrated_run import calibration_of
from phonoscope_trainer.measures.listeners import Listener
from phonoscope_trainer.measures.peers import PEERS

Threshold: TypeAlias = float | Literal["valid"]
OWN = "the detector's own, chosen on validation data of its training corpora"


def add(verbs: Verbs) -> None:
    """`experiment …`."""
    experiment = verbs.add_parser("experiment", help="run one of the papers' experiments")
    experiments = experiment.add_subparsers(required=True, metavar="EXPERIMENT")
    _add_detector(experiments)
    _add_stress(experiments)
    inversion_experiment.add_experiment(experiments)
    maximisation.add_experiment(experiments)
    explanation_loss.add_experiment(experiments)
    exchange_experiment.add_experiment(experiments)
    localisation_experiment.add_experiment(experiments)
    adopted_experiment.add_experiment(experiments)
    tagger_experiment.add_experiment(experiments)
    auralisation_experiment.add_experiment(experiments)
    stems_experiment.add_experiment(experiments)
    peers_experiment.add_experiment(experiments)
    sanity_experiment.add_experiment(experiments)
    ood_experiment.add_experiment(experiments)
    precision_experiment.add_experiment(experiments)
    teacher_experiment.add_experiment(experiments)


def _add_detector(experiments: Verbs) -> None:
    scores = experiments.add_parser("detector", help="frame-wise scores on labelled recordings")
    scores.add_argument("--songs", type=Path, help="folder of audio with .lab files (all of it is judged)")
    add_corpus(scores, required=False)
    scores.add_argument("--split", choices=SPLITS, default="test", help="of the corpus (default %(default)s)")
    _add_listener(scores)
    scores.add_argument(
        "--peer", choices=tuple(PEERS), help="judge this public detector, too, on the same recordings (extra `teacher`)"
    )
    scores.add_argument(
        "--threshold",
        type=threshold_option,
        help="a number, or `valid`: chosen on the corpus' valid split"
        " (default: the detector's own; for a run, chosen on the valid splits of what it was trained on)",
    )
    scores.add_argument("--figures", type=Path, metavar="DIR", help="where ROC and calibration go (default: beside F)")
    add_json(scores)
    scores.set_defaults(run=detector_experiment)


def _add_stress(experiments: Verbs) -> None:
    stressed = experiments.add_parser(
        "stress", help="a detector under changes of level, vibrato, voice-like patches and noise"
    )
    _add_listener(stressed)
    add_corpus(stressed, required=False)
    stressed.add_argument(
        "--songs", type=int, default=12, help="how many: rendered, or of the corpus' test split (default %(default)s)"
    )
    add_figures(stressed)
    add_json(stressed)
    stressed.set_defaults(run=stress_experiment)


def _add_listener(parser: argparse.ArgumentParser) -> None:
    """`--run RUN` or `--model-repository DIR`."""
    parser.add_argument("--run", dest="folder", type=Path, help="judge this training run instead of the bundle")
    parser.add_argument("--model-repository", type=Path, default=Path("model_repository"), help="(default %(default)s)")


def threshold_option(text: str) -> Threshold:
    """A probability, or `valid`."""
    if text == "valid":
        return "valid"
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is neither `valid` nor a number between 0 and 1")
    return value


def detector_experiment(
    songs: Path | None,
    corpus: str | None,
    root: Path | None,
    split: Split,
    folder: Path | None,
    model_repository: Path,
    threshold: Threshold | None,
    peer: str | None,
    figures: Path | None,
    json_path: Path | None,
) -> None:
    """Judge a detector on a folder of songs, or on a split of a corpus."""
    if (songs is None) == (corpus is None):
        raise OptionsError("give either --songs DIR or --corpus NAME")
    loaded = named.load("folder", songs) if songs else named.load(corpus or "", root)
    tracks = loaded.tracks if songs else judged(loaded, split)
    if not tracks:
        raise OptionsError(f"corpus: {loaded.name} has no track in its {split} split")
    listener, own = _listener(folder, model_repository)
    chosen, origin = _threshold(threshold, () if songs else judged(loaded, "valid"), listener, own)
    heard = judge(bar("songs")(tracks), listener, chosen)
    document = summary(heard, chosen) | {"threshold_from": origin, "split": None if songs else split}
    if all(track.accompaniment for track in tracks):
        document["test_auc"] = stem_auc(heard, bar("accompaniments")(tracks), listener)
    if "kinds" in document:
        document["unsung"] = _unsung(tracks, (listener, chosen), peer)
    if peer:
        other = PEERS[peer]
        theirs = judge(bar(f"songs, {peer}")(tracks), other.listener, other.threshold)
        document = beside_peer(document, other, theirs)
    print(table(document), file=sys.stderr)
    if place := figures or (json_path and json_path.parent):
        stem = json_path.stem if json_path else "detector"
        detector_figures.draw([song.curve for song in heard], chosen, place, stem)
        kinds_figure.draw(document, place / f"{stem}-kinds.png")
    write(document, json_path)


def _threshold(
    given: Threshold | None, valid: Sequence[Track], listener: Listener, own: Callable[[], float]
) -> tuple[float, str]:
    """The threshold to judge by, and who chose it."""
    if given != "valid":
        return (own(), OWN) if given is None else (given, "given")
    if not valid:
        raise OptionsError("threshold: `valid` needs a --corpus with a valid split; give a number")
    return chosen_threshold(bar("valid")(valid), listener), "valid split"


def _unsung(tracks: Sequence[Track], ours: tuple[Listener, float], peer: str | None) -> dict[str, dict[str, float]]:
    """What is called sung of speech and sirens, the peer's share beside ours; the music is that of unsung `tracks`."""
    music = [read_sum(track.audio, FRONTEND.sample_rate_hz) for track in tracks if track.vocals == ()]
    found = {name: {"called_sung": share} for name, share in called_sung(*ours, music).items()}
    if peer:
        for name, share in called_sung(PEERS[peer].listener, PEERS[peer].threshold, music).items():
            found[name]["peer"] = share
    return found


def stress_experiment(
    folder: Path | None,
    model_repository: Path,
    corpus: str | None,
    root: Path | None,
    songs: int,
    figures: Path | None,
    json_path: Path | None,
) -> None:
    """Change sounds until a detector fails."""
    listener, own = _listener(folder, model_repository)
    stems = stress_sounds.of_corpus(named.load(corpus, root), songs) if corpus else stress_sounds.rendered(songs)
    document = stress.measure(listener, own(), stems, stress.StressOptions()) | {"threshold_from": OWN}
    if place := figures or (json_path and json_path.parent):
        place.mkdir(parents=True, exist_ok=True)
        stress_figure.draw(document, place / f"{json_path.stem if json_path else 'stress'}.png")
    write(document, json_path)


def _listener(folder: Path | None, model_repository: Path) -> tuple[Listener, Callable[[], float]]:
    """The detector to judge, and how its own threshold is found: a bundle and a calibrated run know it."""
    if folder is None:
        listener, threshold = listeners.bundle_listener(model_repository)
        return listener, lambda: threshold
    return listeners.run_listener(folder), lambda: calibration_of(folder, bar("valid")).threshold
