"""Trains a masker for one listener, on whatever music there is: the listener itself says what has which label."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.networks.label_masker import LabelMasker, seen_layers
from phonoscope_trainer.networks.layout import channels_last
from phonoscope_trainer.networks.listener import Listener
from phonoscope_trainer.ranges import at_least
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.label_masker.excerpts import Matches, Matchmaker
from phonoscope_trainer.recipes.label_masker.objective import LabelWeights, Met, objective
from phonoscope_trainer.recipes.listened import band_means
from phonoscope_trainer.recipes.precision import activations
from phonoscope_trainer.recipes.updates import resumed, run_updates

MOST_GRADIENT = 1.0  # norm
VALIDATION_SEED = 1_000_003


@dataclass(frozen=True, slots=True)
class LabelMaskerOptions:
    """How a masker is trained; saved with the run."""

    updates: int = 1200
    batch: int = 16  # excerpts
    learning_rate: float = 1e-3  # at the peak of the cycle
    steering: float = 3.0  # times that is the rate of what a label steers: each is met in a few updates alone
    weight_decay: float = 1e-4
    warm_up: float = 0.1  # share of updates before the peak
    weights: LabelWeights = field(default_factory=LabelWeights)
    least_area: float = 0.15  # of an excerpt, of regions that are tried
    most_area: float = 0.4
    excerpts: int = 2600  # of the train split
    validation_excerpts: int = 400  # of the valid split, which are matched
    validation_batches: int = 12
    validate_every: int = 150  # updates; the best masker so far is the one that is kept
    bfloat16: bool = True
    seed: int = 0
    listener: str = ""
    corpora: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        at_least(1, self, "updates", "batch", "excerpts", "validation_excerpts", "validate_every", "validation_batches")
        if not self.learning_rate > 0:
            raise OptionsError(f"learning_rate must be above 0, got {self.learning_rate}")
        if not 0 < self.least_area <= self.most_area < 1:
            raise OptionsError(
                f"areas must lie between 0 and 1, the least first, got {self.least_area:g} and {self.most_area:g}"
            )


class LabelMaskerLearner:
    """A masker, its optimiser and schedule, and what it was at its best."""

    def __init__(
        self,
        listener: Listener,
        train: Matchmaker,
        valid: Matchmaker,
        options: LabelMaskerOptions,
        judge: nn.Module | None = None,
    ) -> None:
        """Of random weights; `judge` as in `objective`."""
        torch.manual_seed(options.seed)
        self.listener, self.options = listener, options
        self.train, self.valid, self.judge = train, valid, judge
        listener.network.eval().requires_grad_(requires_grad=False)
        channels_last(listener.network)
        self.seen, self.masker = new_masker(listener)
        self.masker.baseline = band_means(listener, train.listened.log_mel)
        channels_last(self.masker)
        rates = [options.learning_rate, options.learning_rate * options.steering]
        steering = {name for name, _ in self.masker.named_parameters() if name.startswith("steer.")}
        groups = [
            {"params": [value for name, value in self.masker.named_parameters() if (name in steering) is steers]}
            for steers in (False, True)
        ]
        self.optimiser = torch.optim.AdamW(groups, options.learning_rate, weight_decay=options.weight_decay)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, rates, total_steps=options.updates, pct_start=options.warm_up
        )
        self.best, self.best_loss = copy.deepcopy(self.masker.state_dict()), math.inf

    def update(self, step: int) -> dict[str, float]:
        """One step of the optimiser; the objective and its terms."""
        rng = np.random.default_rng((self.options.seed, step))
        self.masker.train()
        matches = self.train.draw(self.options.batch, rng)
        area = rng.uniform(self.options.least_area, self.options.most_area, self.options.batch)
        terms = self._terms(self.train, matches, area)
        self.optimiser.zero_grad()
        terms["loss"].backward()
        torch.nn.utils.clip_grad_norm_(self.masker.parameters(), MOST_GRADIENT)
        self.optimiser.step()
        self.schedule.step()
        return {name: float(value.detach()) for name, value in terms.items()}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Means over the same batches each time; remembers the masker if it was never better."""
        self.masker.eval()
        rng = np.random.default_rng(VALIDATION_SEED)
        batches = [self.valid.draw(self.options.batch, rng) for _ in range(self.options.validation_batches)]
        area = np.full(self.options.batch, self.options.weights.usual_area)
        found = [self._terms(self.valid, matches, area) for matches in batches]
        means = {name: float(torch.stack([each[name] for each in found]).mean()) for name in found[0]}
        if means["loss"] < self.best_loss:
            self.best, self.best_loss = copy.deepcopy(self.masker.state_dict()), means["loss"]
        return means

    def state(self) -> dict[str, Any]:
        """Everything that changes."""
        parts = {name: getattr(self, name).state_dict() for name in ("masker", "optimiser", "schedule")}
        return parts | {"best": self.best, "best_loss": self.best_loss}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `state` gave."""
        for name in ("masker", "optimiser", "schedule"):
            getattr(self, name).load_state_dict(state[name])
        self.best, self.best_loss = state["best"], state["best_loss"]

    def _terms(self, music: Matchmaker, matches: Matches, area: NDArray[np.float64]) -> Mapping[str, torch.Tensor]:
        log_mel = music.listened.log_mel
        met = Met(
            log_mel[matches.row],
            log_mel[matches.host],
            log_mel[matches.third],
            torch.from_numpy(matches.label.astype(np.int32)).unsqueeze(1),
        )
        with activations(torch.device("cpu"), bfloat16=self.options.bfloat16):
            return objective(
                self.masker, self.listener, self.seen, met, torch.from_numpy(area), self.options.weights, self.judge
            )


def new_masker(listener: Listener) -> tuple[tuple[str, ...], LabelMasker]:
    """The layers that a listener's masker looks at, deepest first, and a masker of their sizes.

    Raises:
        OptionsError: the listener has no layer that knows where.
    """
    shapes = listener.layers()
    seen = seen_layers(shapes)
    return seen, LabelMasker(listener.picture, [shapes[name] for name in seen], listener.answers)


def train_label_masker(
    folder: Path,
    listener: Listener,
    train: Matchmaker,
    valid: Matchmaker,
    options: LabelMaskerOptions,
    judge: nn.Module | None = None,
) -> LabelMasker:
    """Train, or resume, the run in `folder`; the masker with the lowest validation loss, in evaluation mode.

    `judge` is as in `objective`.

    Raises:
        CheckpointError: `folder` holds a run with other options.
    """
    learner = LabelMaskerLearner(listener, train, valid, options, judge)
    first = resumed(folder, options, learner)
    title = f"masker of {listener.name}"
    run_updates(folder, first, options, title, learner.update, learner.validate, lambda _: learner.state())
    return load_label_masker(folder, listener)


def load_label_masker(folder: Path, listener: Listener) -> LabelMasker:
    """The masker of a run as it was at its best, in evaluation mode.

    Raises:
        CheckpointError: the folder holds no readable run.
    """
    _, masker = new_masker(listener)
    masker.load_state_dict(checkpoint.load(folder)["best"])
    return masker.eval()
