"""Trains an inverter for each layer of one listener, on whatever music there is; the network runs once for all."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from phonoscope_trainer.errors import CheckpointError, OptionsError
from phonoscope_trainer.networks.layer_inverter import LayerInverter
from phonoscope_trainer.networks.listener import Listener
from phonoscope_trainer.ranges import at_least
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.updates import resumed, run_updates

MOST_GRADIENT = 1.0  # norm
SMALLEST_STD = 1e-3  # of a band: one that is always silent
BATCH = 16  # excerpts at once where nothing is learnt


@dataclass(frozen=True, slots=True)
class LayerInversionOptions:
    """How inverters are trained; saved with the run."""

    layers: tuple[str, ...] = ()  # none: all
    updates: int = 600  # of each
    batch: int = 16  # excerpts
    learning_rate: float = 3e-3  # at the peak of the cycle
    warm_up: float = 0.1  # share of updates before the peak
    excerpts: int = 2600  # of the train split
    validation_excerpts: int = 200  # of the valid split
    validate_every: int = 150  # updates; the best inverters so far are those that are kept
    seed: int = 0
    listener: str = ""
    corpora: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        at_least(1, self, "updates", "excerpts", "validate_every")
        at_least(2, self, "batch", "validation_excerpts")
        if not self.learning_rate > 0:
            raise OptionsError(f"learning_rate must be above 0, got {self.learning_rate}")


@dataclass(frozen=True, slots=True)
class LayerInversions:
    """What was learnt."""

    inverters: Mapping[str, LayerInverter]  # by layer, first to last; in evaluation mode
    mean_distance: float  # between two validation excerpts, as the network is given them
    error_quantiles: Mapping[str, tuple[float, ...]]  # layer → 0 % … 100 % of its inverter's error on them


class LayerInversionLearner:
    """Inverters, their optimisers and schedules, and what each was at its best."""

    def __init__(self, listener: Listener, log_mel: Tensor, valid: Tensor, options: LayerInversionOptions) -> None:
        """Of random weights; `log_mel` and `valid` are music, `[N, T, M]`."""
        torch.manual_seed(options.seed)
        listener.network.eval().requires_grad_(requires_grad=False)
        self.listener, self.log_mel, self.valid, self.options = listener, log_mel, valid, options
        self.inverters = nn.ModuleDict(
            {_key(layer): inverter for layer, inverter in new_inverters(listener, options.layers).items()}
        )
        mean, std = log_mel.mean(dim=(0, 1)), log_mel.std(dim=(0, 1)).clamp(min=SMALLEST_STD)
        for inverter in self.inverters.values():
            inverter.get_buffer("mean").copy_(mean)
            inverter.get_buffer("std").copy_(std)
        self.optimisers, self.schedules = {}, {}
        for name, inverter in self.inverters.items():
            optimiser = torch.optim.AdamW(inverter.parameters(), options.learning_rate)
            self.optimisers[name] = optimiser
            self.schedules[name] = torch.optim.lr_scheduler.OneCycleLR(
                optimiser, options.learning_rate, total_steps=options.updates, pct_start=options.warm_up
            )
        self.best = {name: copy.deepcopy(inverter.state_dict()) for name, inverter in self.inverters.items()}
        self.best_loss = dict.fromkeys(self.inverters, math.inf)

    def update(self, step: int) -> dict[str, float]:
        """One step of every optimiser; the mean square error by layer."""
        rng = np.random.default_rng((self.options.seed, step))
        rows = rng.choice(len(self.log_mel), min(self.options.batch, len(self.log_mel)), replace=False)
        losses = self._losses(self.log_mel[rows], training=True)
        for name, loss in losses.items():
            self.optimisers[name].zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.inverters[name].parameters(), MOST_GRADIENT)
            self.optimisers[name].step()
            self.schedules[name].step()
        return {name: float(loss.detach()) for name, loss in losses.items()}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Means over the validation excerpts; remembers each inverter that was never better."""
        found = [self._losses(part, training=False) for part in self.valid.split(BATCH)]
        means = {name: float(torch.stack([each[name] for each in found]).mean()) for name in found[0]}
        for name, loss in means.items():
            if loss < self.best_loss[name]:
                self.best[name], self.best_loss[name] = copy.deepcopy(self.inverters[name].state_dict()), loss
        return means

    def state(self) -> dict[str, Any]:
        """Everything that changes."""
        several = {
            kind: {name: each.state_dict() for name, each in parts.items()}
            for kind, parts in (("optimisers", self.optimisers), ("schedules", self.schedules))
        }
        return {"inverters": self.inverters.state_dict(), **several, "best": self.best, "best_loss": self.best_loss}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `state` gave."""
        self.inverters.load_state_dict(state["inverters"])
        for name in self.inverters:
            self.optimisers[name].load_state_dict(state["optimisers"][name])
            self.schedules[name].load_state_dict(state["schedules"][name])
        self.best, self.best_loss = state["best"], state["best_loss"]

    def _losses(self, log_mel: Tensor, *, training: bool) -> dict[str, Tensor]:
        heard = _heard(self.listener, log_mel)
        found = {}
        for name, inverter in self.inverters.items():
            inverter.train(training)
            assert isinstance(inverter, LayerInverter)
            wanted = (log_mel - inverter.mean) / inverter.std
            found[name] = (inverter.standardised(heard[_layer(name)]) - wanted).square().mean()
        return found


def new_inverters(listener: Listener, layers: tuple[str, ...] = ()) -> dict[str, LayerInverter]:
    """An inverter of fitting size for each layer of a listener, or for some.

    Raises:
        OptionsError: the listener has no such layer, or none at all.
    """
    shapes = listener.layers()
    if absent := [layer for layer in layers if layer not in shapes]:
        raise OptionsError(f"layers: {listener.name} has no {absent[0]!r}; it has {', '.join(shapes)}")
    if not shapes:
        raise OptionsError(f"layers: {listener.name} shows none, so there is nothing to invert")
    return {
        layer: LayerInverter(shape, listener.picture)
        for layer, shape in shapes.items()
        if not layers or layer in layers
    }


def train_layer_inverters(
    folder: Path, listener: Listener, log_mel: Tensor, valid: Tensor, options: LayerInversionOptions
) -> LayerInversions:
    """Train, or resume, the run in `folder` on music `[N, T, M]`; see `load_layer_inverters`.

    Raises:
        CheckpointError: `folder` holds a run with other options.
        OptionsError: see `new_inverters`.
    """
    learner = LayerInversionLearner(listener, log_mel, valid, options)
    first = resumed(folder, options, learner)

    def state(step: int) -> dict[str, Any]:
        best = {name: learner.best[name] for name in learner.inverters}
        return learner.state() | (_measured(listener, best, valid) if step == options.updates else {})

    title = f"inverters of {listener.name}"
    run_updates(folder, first, options, title, learner.update, learner.validate, state)
    return load_layer_inverters(folder, listener)


def load_layer_inverters(folder: Path, listener: Listener) -> LayerInversions:
    """The inverters of a finished run, each as it was at its best.

    Raises:
        CheckpointError: the folder holds no readable run, one that is not finished, or one of another listener.
    """
    state = checkpoint.load(folder)
    if "error_quantiles" not in state:
        raise CheckpointError(f"{folder} is not finished: go on with the command that began it")
    quantiles = {_layer(name): tuple(each) for name, each in state["error_quantiles"].items()}
    return LayerInversions(_best(listener, state["best"], folder), float(state["mean_distance"]), quantiles)


def _best(listener: Listener, best: Mapping[str, Any], folder: Path | None = None) -> dict[str, LayerInverter]:
    found = {}
    shapes = listener.layers()
    for name, weights in best.items():
        layer = _layer(name)
        if layer not in shapes:
            raise CheckpointError(f"{folder}: inverts {layer}, which {listener.name} has not")
        inverter = LayerInverter(shapes[layer], listener.picture)
        try:
            inverter.load_state_dict(weights)
        except RuntimeError as error:
            raise CheckpointError(f"{folder}: its inverter of {layer} is of another shape: {error}") from error
        found[layer] = inverter.eval()
    return found


@torch.inference_mode()
def _measured(listener: Listener, best: Mapping[str, Any], valid: Tensor) -> dict[str, Any]:
    """How far inversions of validation excerpts are from what the network was given."""
    excerpts = torch.cat([listener.standardise(part) for part in valid.split(BATCH)])
    distance, parts = float(torch.pdist(excerpts.flatten(1)).mean()), list(valid.split(BATCH))
    errors: dict[str, Tensor] = {}
    for layer, inverter in _best(listener, best).items():
        inverted = torch.cat([listener.standardise(inverter(_heard(listener, part)[layer])) for part in parts])
        errors[_key(layer)] = torch.linalg.vector_norm((excerpts - inverted).flatten(1), dim=1) / distance
    quantiles = {name: np.quantile(each.numpy(), np.linspace(0, 1, 101)).tolist() for name, each in errors.items()}
    return {"mean_distance": distance, "error_quantiles": quantiles}


@torch.no_grad()
def _heard(listener: Listener, log_mel: Tensor) -> dict[str, Tensor]:
    excerpt = listener.standardise(log_mel)
    found: dict[str, Tensor] = listener.network.activations(excerpt)  # type: ignore[operator]  # Layered, or alike
    return found


def _key(layer: str) -> str:
    """A layer's name where dots mean something else."""
    return layer.replace(".", "/")


def _layer(key: str) -> str:
    return key.replace("/", ".")
