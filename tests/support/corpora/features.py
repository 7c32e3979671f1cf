"""Features made of noise, for what does not depend on music."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from phonoscope_trainer.corpora.corpus import Track
from phonoscope_trainer.corpora.features import Features


def noise_track(frames: int, seed: int, *, sung: bool = False) -> Features:
    """One track of `frames` frames, all of them sung or none."""
    magnitudes = np.random.default_rng(seed).random((1, frames, 372), np.float32).astype(np.float16)
    track = Track(f"noise-{seed}", f"noise-{seed}", "train", (), mixture=Path("noise.wav"))
    return Features(track, magnitudes, np.full(frames, sung))
