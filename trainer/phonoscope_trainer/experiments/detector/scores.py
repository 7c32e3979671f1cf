"""The detector experiment: frame-wise scores of a detector on labelled recordings, song by song and pooled.

Protocol of Schlüter & Grill 2015, section 5.2: predictions at every frame, median filter of 56 frames, one threshold
chosen on validation data, all frames of all test files pooled.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from phonoscope_trainer.corpora.audio import read_mono, read_sum
from phonoscope_trainer.corpora.corpus import Track
from phonoscope_trainer.corpora.labels import frame_labels
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.frontends.mel import FRONTEND
from phonoscope_trainer.measures.bootstrap import BOOTSTRAP, intervals
from phonoscope_trainer.measures.calibration import reliability
from phonoscope_trainer.measures.listeners import Listener
from phonoscope_trainer.measures.scores import Curve, Scores, auc, best_threshold, pooled, scores, smooth


@dataclass(frozen=True, slots=True)
class SongScores:
    """One recording; `auc` is None where everything or nothing in it is sung."""

    name: str
    seconds: float
    sung_share: float
    auc: float | None
    scores: Scores
    curve: Curve = field(repr=False)


def hear(track: Track, listener: Listener) -> Curve:
    """A track's mixture as `listener` hears it.

    Raises:
        CorpusError: the audio cannot be read, or is shorter than one frame.
    """
    probability = listener(read_sum(track.audio, FRONTEND.sample_rate_hz))
    if not len(probability):
        raise CorpusError(f"{track.name}: shorter than one frame ({FRONTEND.frame_samples} samples)")
    labels = frame_labels(track.vocals, len(probability), FRONTEND.frames_per_second)
    return Curve(probability, smooth(probability), labels)


def chosen_threshold(tracks: Iterable[Track], listener: Listener) -> float:
    """The threshold of the protocol's grid that fits validation tracks best."""
    curves = (hear(track, listener) for track in tracks)
    return best_threshold((curve.probability, curve.labels) for curve in curves)


def judge(tracks: Iterable[Track], listener: Listener, threshold: float) -> list[SongScores]:
    """Scores of each track's mixture at one threshold."""
    judged = []
    for track in tracks:
        curve = hear(track, listener)
        judged.append(
            SongScores(
                name=track.name,
                seconds=len(curve.labels) / FRONTEND.frames_per_second,
                sung_share=float(curve.labels.mean()),
                auc=auc(curve.smoothed, curve.labels),
                scores=scores(curve.smoothed, curve.labels, threshold),
                curve=curve,
            )
        )
    return judged


def stem_auc(judged: Iterable[SongScores], tracks: Iterable[Track], listener: Listener) -> float | None:
    """AUC of sung frames of the mixtures, judged already, against all frames of their accompaniments alone.

    What only stems can show. None where no frame is sung.
    """
    sung = np.concatenate([song.curve.smoothed[song.curve.labels] for song in judged])
    alone = []
    for track in tracks:
        assert track.accompaniment is not None
        alone.append(smooth(listener(read_mono(track.accompaniment, FRONTEND.sample_rate_hz))))
    probability = np.concatenate([sung, *alone])
    return auc(probability, np.arange(len(probability)) < len(sung))


def summary(judged: Sequence[SongScores], threshold: float) -> dict[str, object]:
    """The experiment's document: means over songs, pooled scores with their intervals, and each song's row."""
    areas = [song.auc for song in judged if song.auc is not None]
    instrumental = [1 - song.scores.specificity for song in judged if song.sung_share == 0]
    return {
        "mean_auc": float(np.mean(areas)) if areas else None,
        "mean_error": float(np.mean([song.scores.error for song in judged])),
        "instrumental_false_rate": float(np.mean(instrumental)) if instrumental else None,
        "threshold": threshold,
        **_pooled(judged, threshold),
        "songs": [
            {"name": s.name, "seconds": s.seconds, "sung_share": s.sung_share, "auc": s.auc} | numbers(s.scores)
            for s in judged
        ],
    }


def numbers(found: Scores) -> dict[str, float | None]:
    """Scores for a JSON document, which knows no NaN."""
    return {name: None if np.isnan(value) else value for name, value in asdict(found).items()}


def _pooled(judged: Sequence[SongScores], threshold: float) -> dict[str, object]:
    """Scores over all frames of all songs, how sure they are, and whether probabilities are what they say."""
    curves = [song.curve for song in judged]
    smoothed, labels = pooled(curves)
    meant = reliability(curves)
    bounds = {name: asdict(interval) for name, interval in intervals(curves, threshold).items() if interval}
    return {
        "pooled": {"auc": auc(smoothed, labels)} | numbers(scores(smoothed, labels, threshold)),
        "interval": asdict(BOOTSTRAP) | bounds,
        "calibration_error": meant.error,
        "calibration": {
            "predicted": meant.predicted.tolist(),
            "sung": meant.sung.tolist(),
            "frames": meant.frames.tolist(),
        },
    }
