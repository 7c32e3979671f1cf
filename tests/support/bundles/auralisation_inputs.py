"""Inputs for the models that make features heard: soft music, and what the models before make of it."""

from __future__ import annotations

import numpy as np

from support.corpora.sound import music

AURALISATION = (
    *("tagger_frontend", "deconvnet_tagger", "resound_tagger", "auralise"),
    *("deconvnet_detector", "resound_detector", "auralise_detector"),
)
ONE_CLIP = tuple(model for model in AURALISATION if model != "tagger_frontend")  # many features of one clip a call


def auralisation_inputs(model, rows, run):
    """Inputs of one model; `run` computes what comes before it."""
    clip = {"samples": np.stack([0.1 * music(4, 11025, seed=seed) for seed in range(rows)])}
    excerpt = {"samples": music(36934 / 22050)[None]}
    features = {"layer": [[3, 0, 1]], "feature": [[-1, 7, -2]], "strongest_only": [[0]]}
    features = {name: np.array(numbers, np.int32) for name, numbers in features.items()}
    resynthesis = {"resynthesis": np.array([[2]], np.int32)}
    match model:
        case "tagger_frontend":
            return clip
        case "auralise":
            return {"samples": clip["samples"][:1]} | features | resynthesis
        case "auralise_detector":
            return excerpt | features | resynthesis
        case "deconvnet_tagger":
            return {"picture": run("tagger_frontend", {"samples": clip["samples"][:1]})["magnitude"]} | features
        case "deconvnet_detector":
            return {"picture": run("frontend", excerpt)["standardised"]} | features
        case "resound_tagger":
            heard = run("deconvnet_tagger", auralisation_inputs("deconvnet_tagger", 1, run))["heard"]
            spectrum = run("tagger_frontend", {"samples": clip["samples"][:1]})["spectrum"]
            return {"spectrum": spectrum, "heard": heard} | resynthesis
        case "resound_detector":
            pictures = auralisation_inputs("deconvnet_detector", 1, run)
            heard = run("deconvnet_detector", pictures)["heard"]
            return excerpt | {"standardised": pictures["picture"], "heard": heard} | resynthesis
    raise LookupError(model)
