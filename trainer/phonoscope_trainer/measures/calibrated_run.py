"""The operating point of a training run: kept with it, or chosen on the valid splits of what it was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.corpus import Corpus
from phonoscope_trainer.corpora.features import Features, Progress, features
from phonoscope_trainer.corpora.judged import judged
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend
from phonoscope_trainer.measures.operating_point import LogitMap, operating_point
from phonoscope_trainer.measures.tracks import heard_tracks
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.detector.calibration import Calibration, keep
from phonoscope_trainer.recipes.detector.modern import load_uncalibrated


def calibrate(run: Path, corpora: Sequence[Corpus], progress: Progress = lambda tracks: tracks) -> Calibration:
    """Fit a run's calibration on the valid splits of some corpora, choose its threshold, and keep both with the run.

    Raises:
        CheckpointError: `run` holds no readable run.
        OptionsError: nobody sings in these splits, or everybody all the time.
    """
    calibration = _chosen(run, corpora, None, progress)
    keep(run, calibration, int(checkpoint.load(run)["step"]))
    return calibration


def calibration_of(run: Path, progress: Progress = lambda tracks: tracks) -> Calibration:
    """The calibration that a run keeps; of one that keeps none its logits as they are, and a threshold chosen now.

    Raises:
        CheckpointError: `run` holds no readable run.
        CorpusError: one of its corpora is not there.
        OptionsError: they have no valid split to choose on.
    """
    calibration = load_uncalibrated(run)[2]
    return calibration or _chosen(run, [named.load(name) for name in _corpora(run)], LogitMap(), progress)


def valid_features(
    corpora: Sequence[Corpus], frontend: Frontend, progress: Progress = lambda tracks: tracks
) -> list[list[Features]]:
    """What a detector is calibrated on: of each corpus, all of the valid split that people labelled, and its mixes."""
    return [features(judged(corpus, "valid"), frontend, progress) for corpus in corpora]


def _corpora(run: Path) -> Sequence[str]:
    return tuple(checkpoint.options(run)["corpora"])


def _chosen(run: Path, corpora: Sequence[Corpus], fixed: LogitMap | None, progress: Progress) -> Calibration:
    network, standardise, _ = load_uncalibrated(run)
    frontend = Frontend(FRONTEND)
    heard = [
        each
        for corpus, tracks in zip(corpora, valid_features(corpora, frontend, progress), strict=True)
        for each in heard_tracks(tracks, network, frontend, standardise, corpus.name)
    ]
    if not heard:
        raise OptionsError(
            f"{run}: its corpora have no track in their valid splits; give a threshold, or other corpora"
        )
    return operating_point(heard, fixed)
