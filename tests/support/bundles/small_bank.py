"""A bank of a few soft melodies, for tests that need other music and not a detector's opinion of it."""

from __future__ import annotations

import numpy as np
import torch
from phonoscope_trainer.frontends.mel import Frontend
from phonoscope_trainer.graphs.bank import packed

from support.corpora.music import melody

EXCERPTS, SOUNDS = 4, 2
WHERE = [
    {"song": f"melody {n}", "start_s": 0.5, "label": ("instrumental", "vocal")[n >= EXCERPTS]}
    for n in range(2 * EXCERPTS)
]
SAID = {"excerpts": EXCERPTS, "sounds": SOUNDS, "seed": 0, "licence": "CC0-1.0", "examples": WHERE}


def small_bank():
    """Four excerpts of either answer, which nobody has heard."""
    samples = np.stack([melody(2, seed)[:36934] for seed in range(100, 100 + 2 * EXCERPTS)])
    log_mel = Frontend()(torch.from_numpy(samples)).unflatten(0, (2, EXCERPTS))
    relevance = torch.rand(log_mel.shape, generator=torch.Generator().manual_seed(0))
    return packed(log_mel, relevance, torch.from_numpy(samples).unflatten(0, (2, EXCERPTS))[:, :SOUNDS])
