"""Inputs for the graphs that maximise: rows that differ in every setting."""

from __future__ import annotations

import numpy as np
import torch
from phonoscope_trainer.graphs.maximise import initial_state

MAXIMISATION = ("maximise", "generate", "generated", "griffin_lim")


def maximisation_inputs(model, rows):
    """Inputs of one model."""
    noise, row = np.random.default_rng(2019), np.arange(rows)[:, None]
    z = noise.standard_normal((rows, 128), np.float32)
    if model == "griffin_lim":
        log_mel = noise.normal(-5, 1, (rows, 115, 80)).astype(np.float32)
        return {"log_mel": log_mel, "audio": noise.standard_normal((rows, 36934), np.float32)}
    if model in ("generate", "generated"):
        return {"z": z}
    weights = (noise.standard_normal((rows, 705)) / 10).astype(np.float32)
    position = np.where(row % 2, [[5, 4]], [[-1, -1]]).astype(np.int32)
    number = np.zeros((rows, 1), np.float32)
    return {
        **{name: part.numpy() for name, part in initial_state(torch.from_numpy(z)).items()},
        "steps": (3 + row).astype(np.int32),
        "learning_rate": number + 0.01,
        "prior_weight": number + 0.01,
        "sign": (1 - 2 * (row % 2)).astype(np.float32),
        "weights": weights,
        "position": position,
    }
