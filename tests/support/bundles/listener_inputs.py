"""Inputs for the models of the tagger as a listener: soft music, and what the models before make of it."""

from __future__ import annotations

import numpy as np

from support.bundles.repository import REPOSITORY
from support.corpora.sound import music

# A bundle may have no tagger, or none that is a listener.
TAGGING = tuple(
    f"{name}{suffix}"
    for name, suffix in (
        *(("tagger", ""), ("asked_label", "_tagger"), ("gradient", "_tagger"), ("explain_gradient", "_tagger")),
        *((name, "_tagger") for name in ("predict", "mask", "masked", "evidence", "listen", "heard")),
        *((name, "_tagger") for name in ("exchange", "exchange_sound", "exchanged", "exchange_heard")),
    )
    if (REPOSITORY / f"{name}{suffix}").is_dir()
)


def listener_inputs(model, rows, run):
    """Inputs of one model; `run` computes what comes before it. Another label is asked for in every row."""
    row = np.arange(rows, dtype=np.int32)[:, None]
    clips = {"samples": np.stack([0.1 * music(4, 11025, seed=seed) for seed in range(rows)])}
    asked = {"label": row % 3, "contrast": (row + 1) % 3 - (row % 2) * ((row + 1) % 3 + 1)}
    rule = {
        "alpha": (0.55 - 0.02 * row).astype(np.float32),
        "maximum_area": (1.0 - 0.2 * row).astype(np.float32),
        "masking": 1 + row % 2,
        "control_seed": row,
    }
    match model:
        case "predict_tagger":
            return clips
        case "explain_gradient_tagger":
            return clips | rule | asked
    known = run("explain_gradient_tagger", clips | rule | asked)
    excerpt = {"excerpt": known["standardised"]}
    match model:
        case "tagger":
            return excerpt
        case "asked_label_tagger":
            return {"probability": known["probability"], "label": asked["label"]}
        case "gradient_tagger":
            return excerpt | asked
        case "mask_tagger" | "masked_tagger" | "evidence_tagger":
            return {name: known[name] for name in ("log_mel", "standardised", "relevance")} | rule
        case "listen_tagger" | "heard_tagger":
            return clips | {"mask": known["mask"], "outside_gain": np.full((rows, 1), 0.25, np.float32)}
    choice = asked | {"trial": row % 5, "draw": row, "control_seed": 7 * row}
    maps = {"log_mel": known["log_mel"], "region": known["mask"]}
    return maps | choice | (clips if model in ("exchange_sound_tagger", "exchange_heard_tagger") else {})
