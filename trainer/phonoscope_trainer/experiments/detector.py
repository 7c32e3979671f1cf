"""The detector experiment: frame-wise scores of a detector on labelled recordings, song by song.

Protocol of Schlüter & Grill 2015, section 5.2: predictions at every frame, median filter of 56 frames, one threshold
chosen on validation data. What is judged is what ships: the exported graphs, run by ONNX Runtime; or a training run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tqdm import tqdm

from phonoscope_trainer.bundle import MANIFEST
from phonoscope_trainer.corpora.audio import read_mono, read_sum
from phonoscope_trainer.corpora.corpus import Track
from phonoscope_trainer.corpora.features import frame_magnitudes
from phonoscope_trainer.corpora.labels import frame_labels
from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.experiments.metrics import Scores, auc, scores, smooth
from phonoscope_trainer.experiments.tracks import curve
from phonoscope_trainer.frontend import CONTEXT_FRAMES, FRONTEND, Frontend
from phonoscope_trainer.recipes.detector import load_detector

PIECE_FRAMES = 2048

# Probability of singing at every frame `[T]` of samples `[N]`.
Listener = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class SongScores:
    """One recording; `auc` is None where everything or nothing in it is sung."""

    name: str
    seconds: float
    sung_share: float
    auc: float | None
    scores: Scores


def run_listener(run: Path) -> Listener:
    """The detector of a training run."""
    network, standardise = load_detector(run)
    frontend = Frontend(FRONTEND)

    def listen(samples: NDArray[np.float32]) -> NDArray[np.float32]:
        return curve(frame_magnitudes(frontend, samples), network, frontend, standardise)

    return listen


def bundle_listener(repository: Path) -> tuple[Listener, float]:
    """The exported detector of a model repository, and its threshold.

    Raises:
        ExportError: there is no bundle at `repository`.
    """
    manifest = repository / MANIFEST
    if not manifest.is_file():
        raise ExportError(f"{repository}: no {MANIFEST}, so no bundle to judge; export one first")
    frontend, detector = (_session(repository, name) for name in ("frontend", "track_detector"))

    def listen(samples: NDArray[np.float32]) -> NDArray[np.float32]:
        frames = FRONTEND.frames_of(len(samples))
        pieces = []
        for first in range(0, frames, PIECE_FRAMES):
            last = min(first + PIECE_FRAMES, frames)
            low, high = max(0, first - CONTEXT_FRAMES), min(frames, last + CONTEXT_FRAMES)
            start = low * FRONTEND.hop_samples
            piece = samples[None, start : start + FRONTEND.samples_of(high - low)]
            (standardised,) = frontend.run(["standardised"], {"samples": piece})
            margins = {
                "silence_before": np.array([[CONTEXT_FRAMES - (first - low)]], np.int32),
                "silence_after": np.array([[CONTEXT_FRAMES - (high - last)]], np.int32),
            }
            (probability,) = detector.run(["probability"], {"standardised": standardised, **margins})
            pieces.append(probability[0])
        return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)

    return listen, float(json.loads(manifest.read_text(encoding="utf-8"))["threshold"])


def _session(repository: Path, graph: str) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(
        str(repository / graph / "1" / "model.onnx"), providers=["CPUExecutionProvider"]
    )


def judge(tracks: Iterable[Track], listener: Listener, threshold: float) -> list[SongScores]:
    """Scores of each track's mixture at one threshold."""
    judged = []
    for track in tracks:
        samples = read_sum(track.audio, FRONTEND.sample_rate_hz)
        probability = smooth(listener(samples))
        labels = frame_labels(track.vocals, len(probability), FRONTEND.frames_per_second)
        judged.append(
            SongScores(
                name=track.name,
                seconds=len(samples) / FRONTEND.sample_rate_hz,
                sung_share=float(labels.mean()),
                auc=auc(probability, labels),
                scores=scores(probability, labels, threshold),
            )
        )
    return judged


def stem_auc(tracks: Iterable[Track], listener: Listener) -> float:
    """AUC of sung frames of the mixtures against all frames of the accompaniments alone: what only stems can show."""
    sung, alone = [], []
    for track in tqdm(list(tracks), unit="track", desc="stems"):
        assert track.accompaniment is not None
        probability = smooth(listener(read_sum(track.audio, FRONTEND.sample_rate_hz)))
        labels = frame_labels(track.vocals, len(probability), FRONTEND.frames_per_second)
        sung.append(probability[labels])
        alone.append(smooth(listener(read_mono(track.accompaniment, FRONTEND.sample_rate_hz))))
    positive, negative = np.concatenate(sung), np.concatenate(alone)
    labels = np.repeat([True, False], [len(positive), len(negative)])
    area = auc(np.concatenate([positive, negative]), labels)
    assert area is not None
    return area


def summary(judged: Sequence[SongScores], threshold: float) -> dict[str, object]:
    """The experiment's document: means over songs, and each song's row."""
    areas = [song.auc for song in judged if song.auc is not None]
    instrumental = [1 - song.scores.specificity for song in judged if song.sung_share == 0]
    rows = [
        {"name": s.name, "seconds": s.seconds, "sung_share": s.sung_share, "auc": s.auc}
        | {key: None if np.isnan(value) else value for key, value in asdict(s.scores).items()}
        for s in judged
    ]
    return {
        "mean_auc": float(np.mean(areas)) if areas else None,
        "mean_error": float(np.mean([song.scores.error for song in judged])),
        "instrumental_false_rate": float(np.mean(instrumental)) if instrumental else None,
        "threshold": threshold,
        "songs": rows,
    }
