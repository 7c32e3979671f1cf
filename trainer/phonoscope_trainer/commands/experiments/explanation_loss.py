"""`phonoscope-train experiment explanation-loss`: whether explanations are true, on several corpora."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from tqdm import tqdm

from phonoscope_trainer.commands.experiments.judged_bundle import USUAL_EXCERPTS, labelled
from phonoscope_trainer.commands.options import Verbs, add_figures, add_json, add_threads, bar, names, write
from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.corpus import Track
from phonoscope_trainer.corpora.excerpts import random_excerpts
from phonoscope_trainer.corpora.features import Features, features
from phonoscope_trainer.errors import CorpusError, OptionsError
from phonoscope_trainer.experiments.explanation import loss_figures as figures_of
from phonoscope_trainer.experiments.explanation.baselines import usual_regions
from phonoscope_trainer.experiments.explanation.default_rule import default_rule
from phonoscope_trainer.experiments.explanation.detector import ExplainedDetector, of_bundle, of_runs
from phonoscope_trainer.experiments.explanation.excerpts import Excerpts, balanced_excerpts
from phonoscope_trainer.experiments.explanation.heard import HeardExplanations
from phonoscope_trainer.experiments.explanation.loss import Judge, LossOptions, Progress
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend
from phonoscope_trainer.graphs.rules import ALPHAS
from phonoscope_trainer.measures.calibrated_run import calibration_of

DEFAULTS = LossOptions()


def add_experiment(experiments: Verbs) -> None:
    """`explanation-loss`: curves, controls and figures."""
    loss = experiments.add_parser(
        "explanation-loss", help="whether the regions of explanations are what labels rest on"
    )
    loss.add_argument("--model-repository", type=Path, default=Path("model_repository"), help="(default %(default)s)")
    loss.add_argument("--detector", type=Path, help="judge this run instead of the bundle, with --inverter")
    loss.add_argument("--inverter", type=Path, help="run of the explanation inverter")
    loss.add_argument("--masker", type=Path, help="run of a masker, instead of the bundle's")
    loss.add_argument(
        "--threshold", type=float, help="of the run (default: chosen on valid splits); a bundle has its own"
    )
    loss.add_argument(
        "--corpora", type=names, default=("rendered", "mir1k", "real"), help="(default: rendered,mir1k,real)"
    )
    loss.add_argument("--songs", type=Path, metavar="DIR", help="a folder of labelled songs, judged beside them")
    loss.add_argument(
        "--excerpts", type=int, default=DEFAULTS.excerpts, help="of each, half of each class (default %(default)s)"
    )
    loss.add_argument(
        "--control-excerpts",
        type=int,
        default=DEFAULTS.control_excerpts,
        help="of them, for the controls over α (default %(default)s)",
    )
    loss.add_argument(
        "--outside-db",
        type=float,
        default=DEFAULTS.outside_db,
        help="attenuation of what is outside when an explanation is heard (default %(default)s)",
    )
    add_figures(loss)
    add_threads(loss)
    add_json(loss)
    loss.set_defaults(run=explanation_loss)


def explanation_loss(
    model_repository: Path,
    detector: Path | None,
    inverter: Path | None,
    masker: Path | None,
    threshold: float | None,
    corpora: Sequence[str],
    songs: Path | None,
    excerpts: int,
    control_excerpts: int,
    outside_db: float,
    figures: Path | None,
    threads: int,
    json_path: Path | None,
) -> None:
    """Measure explanations on the test parts of corpora."""
    torch.set_num_threads(threads)
    options = LossOptions(excerpts, min(control_excerpts, excerpts), outside_db=outside_db)
    explained = _explained(model_repository, detector, inverter, masker, threshold, threads)
    default, paper, equal, drawn = {}, {}, {}, {}
    usual = usual_by_answer(corpora, explained, options)
    for name, tracks in tested_tracks(corpora, songs).items():
        found = features(tracks, Frontend(FRONTEND), bar(name))
        sample = draw(name, found, explained, options)
        judge = Judge(explained, HeardExplanations(tracks, explained, outside_db), options, _progress(name))
        default[name] = default_rule(judge, usual, sample)
        paper[name] = judge.paper(sample)
        equal[name] = judge.at_equal_area(sample)
        drawn[name] = (found, sample)
    document: dict[str, object] = {"default": default, "paper": paper, "equal_area": equal}
    document |= {"threshold": explained.threshold, "options": asdict(options)}
    if place := figures or (json_path and json_path.parent):
        place.mkdir(parents=True, exist_ok=True)
        stem = json_path.stem if json_path else "explanation-loss"
        figures_of.draw_curves(document, place / f"{stem}-curves.png")
        for name, (found, sample) in drawn.items():
            figures_of.draw_examples(found, sample, explained, place / f"{stem}-{name}.png")
    write(document, json_path)


def tested_tracks(corpora: Sequence[str], songs: Path | None) -> dict[str, tuple[Track, ...]]:
    """The test splits of corpora but for what a model labelled, and all of a folder of songs.

    Raises:
        CorpusError: one of them is missing or empty.
    """
    tracks = {name: labelled(name, "test") for name in corpora}
    if songs and not (found := named.load("folder", songs).tracks):
        raise CorpusError(f"{songs}: holds no track")
    return tracks | ({"songs": found} if songs else {})


def usual_by_answer(corpora: Sequence[str], explained: ExplainedDetector, options: LossOptions) -> torch.Tensor:
    """The default rule's mean region by answer, `[2, T, M]`, learnt on valid splits.

    Raises:
        CorpusError: one of them is missing or empty.
    """

    @torch.inference_mode()
    def regions(log_mel: torch.Tensor) -> torch.Tensor:
        relevances = explained.relevances(explained.standardise(log_mel))
        rule = next(rule for rule in ALPHAS if rule in relevances)
        return relevances[rule] >= ALPHAS[rule]

    @torch.inference_mode()
    def answer(log_mel: torch.Tensor) -> torch.Tensor:
        return explained.is_vocal(explained.standardise(log_mel))

    frontend = Frontend(FRONTEND)
    valid = (features(labelled(name, "valid"), frontend, bar(f"{name}, valid")) for name in corpora)
    excerpts = (random_excerpts(tracks, USUAL_EXCERPTS, frontend, options.seed) for tracks in valid)
    batches = (batch for each in excerpts for batch in each.split(options.batch))
    return usual_regions(batches, answer, regions)


def draw(name: str, tracks: Sequence[Features], explained: ExplainedDetector, options: LossOptions) -> Excerpts:
    """The excerpts that are explained."""

    @torch.inference_mode()
    def label(log_mel: torch.Tensor) -> torch.Tensor:
        return explained.is_vocal(explained.standardise(log_mel))

    return balanced_excerpts(name, tracks, Frontend(FRONTEND), label, options.excerpts, options.seed)


def _explained(
    model_repository: Path,
    detector: Path | None,
    inverter: Path | None,
    masker: Path | None,
    threshold: float | None,
    threads: int,
) -> ExplainedDetector:
    if (detector is None) != (inverter is None):
        raise OptionsError("--detector and --inverter belong together")
    if detector is None or inverter is None:
        if threshold is not None:
            raise OptionsError("threshold: a bundle has its own; give --detector and --inverter")
        return of_bundle(model_repository, masker, threads)
    own = calibration_of(detector, bar("threshold")).threshold if threshold is None else threshold
    return of_runs(detector, inverter, masker, own)


def _progress(corpus: str) -> Progress:
    def progress(batches: Iterable[Excerpts], count: int, what: str) -> Iterable[Excerpts]:
        shown: Iterable[Excerpts] = tqdm(batches, desc=f"{corpus}, {what}", total=count, unit="batch")
        return shown

    return progress
