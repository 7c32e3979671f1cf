"""The mean of detectors that went on from the same one, each in its own way: as good as each where they were good.

Weights that were trained on from one place lie in one valley, and the middle of it answers unknown music better than
its sides do, for the price of one network (Wortsman et al. 2022, "Model soups"; Izmailov et al. 2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from phonoscope_trainer.errors import CheckpointError, OptionsError
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.detector.modern import kept_convolutions

SHARED = ("start", "licence")  # options that all must have alike


@dataclass(frozen=True, slots=True)
class AverageOptions:
    """What an averaged run is made of; saved with it."""

    averaged: tuple[str, ...]  # runs
    corpora: tuple[str, ...]  # that any of them learned from
    start: str  # what all of them went on from
    keep_convolutions: str  # up to this one all of them are as they were there; empty: none
    licence: str
    recipe: Literal["average"] = "average"


def average_detectors(folder: Path, runs: Sequence[Path]) -> AverageOptions:
    """Leave the mean of finished runs as a run in `folder`.

    Raises:
        CheckpointError: a run cannot be read, or `folder` holds another run.
        OptionsError: fewer than two runs; or they did not go on from the same one.
    """
    options = _options(runs)
    states = [checkpoint.load(run) for run in runs]
    first = states[0]
    for run, state in zip(runs, states, strict=True):
        if _shapes(state) != _shapes(first):
            raise CheckpointError(f"{run} holds another network than {runs[0]}")
        if any(not torch.equal(value, first["standardise"][name]) for name, value in state["standardise"].items()):
            raise OptionsError(f"runs: {run} standardises its input otherwise than {runs[0]}")
    checkpoint.open_run(folder, options)
    network = {name: _mean([state["network"][name] for state in states]) for name in first["network"]}
    checkpoint.save(folder, {"network": network, "standardise": first["standardise"], "step": 0})
    return options


def _options(runs: Sequence[Path]) -> AverageOptions:
    if len(set(runs)) < 2:
        raise OptionsError(f"runs: a mean is of two or more, got {len(set(runs))}")
    asked = [checkpoint.options(run) for run in runs]
    for name in SHARED:
        if len({str(each.get(name, "")) for each in asked}) > 1:
            raise OptionsError(f"runs: their {name} must be one; they are {[each.get(name, '') for each in asked]}")
    if not asked[0].get("start"):
        raise OptionsError(
            "runs: they must have gone on from one run (--start); from random weights there is no middle"
        )
    corpora = dict.fromkeys(name for each in asked for name in each["corpora"])
    kept = min((kept_convolutions(each.get("keep_convolutions", "")) for each in asked), key=len)
    start, licence = (asked[0].get(name, "") for name in SHARED)
    return AverageOptions(tuple(map(str, runs)), tuple(corpora), start, kept[-1] if kept else "", licence)


def _shapes(state: dict[str, Any]) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in state["network"].items()}


def _mean(values: Sequence[Tensor]) -> Tensor:
    """Of one weight; of what counts, such as batches seen, the first."""
    return torch.stack(list(values)).mean(dim=0) if values[0].is_floating_point() else values[0]
