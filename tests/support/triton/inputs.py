"""Inputs for every model of the repository: music, and what the models before make of it."""

from __future__ import annotations

from functools import cache

import numpy as np

from support.bundles.along_inputs import ALONG, PASSES, along_inputs
from support.bundles.auralisation_inputs import AURALISATION, ONE_CLIP, auralisation_inputs
from support.bundles.exchange_inputs import EXCHANGE, exchange_inputs
from support.bundles.listener_inputs import TAGGING, listener_inputs
from support.bundles.maximisation_inputs import MAXIMISATION, maximisation_inputs
from support.bundles.repository import REPOSITORY
from support.corpora.sound import music

EXCERPT_S = 36934 / 22050
LAYERS = ("conv1", "conv2", "mp3", "conv4", "conv5", "mp6", "fc7", "fc8")
RULES = ("explain_masker", "explain_gradient", "explain_inversion")
DOUBT = ("doubt",) if (REPOSITORY / "doubt").is_dir() else ()  # a bundle may not be able to tell
EXAMPLES = ("nearest_examples", "nearest") if (REPOSITORY / "nearest").is_dir() else ()  # likewise
MODELS = (
    *("frontend", "detector", "track_detector", "explanation_inverter", "gradient", "masker", "mask", "listen"),
    *(f"inverter_{layer}" for layer in LAYERS),
    *("sonify", "predict", *RULES, "evidence", "masked", "heard", "invert_layers"),
    *AURALISATION,
    *MAXIMISATION,
    *EXCHANGE,
    *EXAMPLES,
    *DOUBT,
    *TAGGING,
    *ALONG,
)
KINDS = tuple(model for model in MODELS if not model.startswith("inverter_") or model == "inverter_conv1")
UNBATCHED = ("track_detector", "predict", *ONE_CLIP, *PASSES)  # one track or clip a call


@cache
def explain_inputs(rows=1):
    """Another excerpt, alpha, limit and masking in every row."""
    row = np.arange(rows)[:, None]
    return {
        "samples": np.stack([music(EXCERPT_S, seed=seed) * (1 + seed) for seed in range(rows)]),
        "alpha": (0.6 - 0.1 * row).astype(np.float32),
        "maximum_area": (1.0 - 0.2 * row).astype(np.float32),
        "masking": (1 + row % 2).astype(np.int32),
        "control_seed": row.astype(np.int32),
    }


@cache
def _explained(rows, run):
    return run("explain_masker", explain_inputs(rows), ["log_mel", "standardised", "relevance", "mask"])


@cache
def _activations(rows, run):
    return run("detector", {"excerpt": _explained(rows, run)["standardised"]})


def inputs_of(model, rows, run):
    """Inputs of one model; `run` computes what comes before it."""
    if model in AURALISATION:
        return auralisation_inputs(model, rows, run)
    if model in MAXIMISATION:
        return maximisation_inputs(model, rows)
    if model in TAGGING:
        return listener_inputs(model, rows, run)
    if model in ALONG:
        return along_inputs(model, rows, run)
    explain = explain_inputs(rows)
    rule = {name: explain[name] for name in ("alpha", "maximum_area", "masking", "control_seed")}
    silence = {name: np.full((1, 1), 57, np.int32) for name in ("silence_before", "silence_after")}
    track = {"samples": music(6)[None]}
    match model:
        case "explain_masker" | "explain_gradient" | "explain_inversion":
            return explain
        case "invert_layers" | "nearest":
            return {"samples": explain["samples"]}
        case "predict":
            return track | silence
        case "frontend":
            return {"samples": explain["samples"]}
        case "track_detector":
            return {"standardised": run("frontend", track)["standardised"]} | silence
    answer = _explained(rows, run)
    if model in EXCHANGE:
        return exchange_inputs(model, explain["samples"], answer)
    match model:
        case "detector":
            return {"excerpt": answer["standardised"]}
        case "sonify":
            return {"samples": explain["samples"], "standardised": answer["standardised"]}
        case "mask" | "masked" | "evidence":
            return {name: answer[name] for name in ("log_mel", "standardised", "relevance")} | rule
        case "listen" | "heard":
            gain = np.full((rows, 1), 0.25, np.float32)
            return {"samples": explain["samples"], "mask": answer["mask"], "outside_gain": gain}
    excerpt = {"excerpt": answer["standardised"]}
    activations = _activations(rows, run)
    match model:
        case "explanation_inverter":
            return excerpt | {"fc8": activations["fc8"]}
        case "nearest_examples":
            return {"fc8": activations["fc8"]}
        case "doubt":
            return excerpt | {name: activations[name] for name in ("mp6", "fc7", "logit")}
        case "masker":
            return {name: activations[name] for name in ("conv2", "conv5", "fc8")}
        case "gradient":
            names = ("conv1", "conv2", "conv4", "conv5", "mp6_gradient", "logit")
            return excerpt | {name: activations[name] for name in names}
    layer = model.removeprefix("inverter_")
    if layer in LAYERS:
        return {"activation": activations[layer], "excerpt": answer["standardised"]}
    raise LookupError(model)
