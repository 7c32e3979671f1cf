"""Inputs for the models that explain moments of a track out of one pass over it."""

from __future__ import annotations

import numpy as np

from support.bundles.repository import REPOSITORY
from support.corpora.sound import music

FIRST = 60, 130, 200  # frames of the moments
CONTEXT, EXCERPT = 57, 115  # frames

# A bundle may explain moments from their excerpts alone.
PASSES = tuple(
    model for model in ("moments", "masker_along", "along_masker", "along_inversion") if (REPOSITORY / model).is_dir()
)
ALONG = (
    *PASSES,
    *(model for model in ("region", "moments_masker", "moments_inversion") if (REPOSITORY / model).is_dir()),
)


def along_inputs(model, rows, run):
    """Inputs of one model; `run` computes what comes before it."""
    silence = {name: np.full((1, 1), CONTEXT, np.int32) for name in ("silence_before", "silence_after")}
    sound = {"samples": music(6)[None]}
    track = sound | silence
    first = {"first": np.array([FIRST], np.int32)}
    if model.startswith("along_"):
        return track | first
    if model in PASSES:
        dense = run("track_detector", {"standardised": run("frontend", sound)["standardised"]} | silence)
        names = ("mp6", "fc7", "fc8", "logit") if model == "moments" else ("conv2", "conv5", "fc8")
        return {name: dense[name] for name in names} | first
    heard = {name: tensor[0] for name, tensor in run("along_masker", track | first).items()}
    row = np.arange(rows, dtype=np.int32)[:, None]
    moment = row[:, 0] % len(FIRST)  # of more rows than moments some are asked about again, with another alpha
    maps = {
        name: np.stack([heard[name][FIRST[each] - CONTEXT :][:EXCERPT] for each in moment])
        for name in ("log_mel", "standardised")
    }
    choice = {"alpha": (0.6 - 0.1 * row).astype(np.float32), "masking": 1 + row % 2}
    relevance = {"relevance": heard["relevance"][moment]}
    moments = {name: heard[name][moment] for name in ("moment_mp6", "moment_fc7", "moment_fc8", "moment_logit")}
    match model:
        case "region":
            return maps | relevance | choice
        case "moments_masker":
            return maps | relevance | moments | choice
        case "moments_inversion":
            return maps | moments | choice
    raise LookupError(model)
