"""What a detector makes of labelled recordings, one by one (Schlüter & Grill 2015, section 5.2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from phonoscope_trainer.corpora.audio import read_mono, read_sum
from phonoscope_trainer.corpora.corpus import Track
from phonoscope_trainer.corpora.labels import frame_labels
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.frontends.mel import FRONTEND
from phonoscope_trainer.measures.listeners import Listener
from phonoscope_trainer.measures.scores import Curve, Scores, auc, best_threshold, scores, smooth


@dataclass(frozen=True, slots=True)
class SongScores:
    """One recording; `auc` is None where everything or nothing in it is sung."""

    name: str
    kind: str  # of recording, where its corpus tells several apart
    group: str  # artist or source
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
                kind=track.kind,
                group=track.group,
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
