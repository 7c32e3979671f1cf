"""Detectors that can be judged: a training run in PyTorch, or what ships, the exported graphs in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phonoscope_trainer.corpora.features import frame_magnitudes
from phonoscope_trainer.frontends.mel import CONTEXT_FRAMES, FRONTEND, Frontend
from phonoscope_trainer.measures.tracks import curve
from phonoscope_trainer.recipes.detector.modern import load_detector
from phonoscope_trainer.repository.shipped_graphs import session_of, threshold_of

PIECE_FRAMES = 2048

# Probability of singing at every frame `[T]` of samples `[N]`.
Listener = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def run_listener(run: Path) -> Listener:
    """The detector of a training run.

    Raises:
        CheckpointError: `run` holds no readable run.
    """
    network, standardise = load_detector(run)
    frontend = Frontend(FRONTEND)

    def listen(samples: NDArray[np.float32]) -> NDArray[np.float32]:
        return curve(frame_magnitudes(frontend, samples), network, frontend, standardise)

    return listen


def bundle_listener(repository: Path) -> tuple[Listener, float]:
    """The exported detector of a model repository, and its threshold, which validation data chose at its export.

    Raises:
        ExportError: there is no bundle at `repository`.
    """
    threshold = threshold_of(repository)
    frontend, detector = (session_of(repository, name) for name in ("frontend", "track_detector"))

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

    return listen, threshold
