"""One feature inverter while it learns."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn

from phonoscope_trainer.networks.feature_inverters import FeatureInverter
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.recipes.feature_inversion.objective import Heard, Method, objective, row_weights
from phonoscope_trainer.recipes.feature_inversion.options import InversionOptions
from phonoscope_trainer.recipes.feature_inversion.ridge import LinearInverter
from phonoscope_trainer.recipes.precision import activations

WARM_UP = 0.15  # `one-cycle`: share of updates before the peak
# In practice every gradient is brought to this norm, which changes nothing for Adam but this: a silent excerpt, many
# standard deviations below all others, does not rule its memory for the next thousand updates.
LARGEST_GRADIENT = 1.0


class InverterLearner:
    """An inverter, its optimiser, its learning rate, and what it was at its best."""

    def __init__(self, layer: str, method: Method, options: InversionOptions) -> None:
        self.layer, self.method, self.options = layer, method, options
        self.updates = options.batches * options.updates_per_batch(layer)[0]
        self.updated = 0
        self.inverter = FeatureInverter(layer, options.variant)
        self.optimiser = torch.optim.Adam(
            _decayed(self.inverter, options.weight_decay), options.learning_rate, betas=(0.9, options.adam_beta2)
        )
        self.cycle = self.halving = None
        if options.schedule == "one-cycle":
            self.cycle = torch.optim.lr_scheduler.OneCycleLR(
                self.optimiser,
                options.learning_rate,
                total_steps=self.updates,
                pct_start=WARM_UP,
                cycle_momentum=False,
            )
        else:  # torch counts the stalled epochs that it tolerates, the paper those after which it acts
            self.halving = torch.optim.lr_scheduler.ReduceLROnPlateau(
                self.optimiser, factor=0.5, patience=options.patience - 1
            )
        self.best, self.best_loss = copy.deepcopy(self.inverter.state_dict()), math.inf
        self.training_losses: list[Tensor] = []  # of the epoch that is running
        self.validation_losses: list[tuple[float, int]] = []  # and how many excerpts each is a mean of

    @property
    def name(self) -> str:
        """What it is called in the log and the checkpoint."""
        return f"{self.method}/{self.layer}"

    def sketch(self, linear: LinearInverter) -> None:
        """Begin with the sketch that a ridge regression gives, and a network that adds nothing to it."""
        assert self.inverter.sketch is not None
        self.inverter.sketch.take_over(linear.pictures, linear.bias)

    def update(self, heard: Heard, network: SVDNet) -> None:
        """One step of the optimiser."""
        self.inverter.train()
        if self.updated >= self.options.batch_statistics * self.updates:
            for part in self.inverter.modules():
                if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
                    part.eval()
        loss = self._loss(heard, network, self.updated / self.updates)
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.inverter.parameters(), LARGEST_GRADIENT)
        self.optimiser.step()
        if self.cycle:
            self.cycle.step()
        self.updated += 1
        self.training_losses.append(loss.detach())

    @torch.no_grad()
    def validate(self, heard: Heard, network: SVDNet) -> None:
        """Count these excerpts for this epoch's validation loss."""
        self.inverter.eval()
        self.validation_losses.append((float(self._loss(heard, network)), len(heard.excerpts)))

    def keep_best(self) -> float:
        """Keep the inverter if it was never better on the excerpts it was just validated on; its loss there."""
        excerpts = sum(count for _, count in self.validation_losses)
        validation = sum(loss * count for loss, count in self.validation_losses) / excerpts
        self.validation_losses = []
        if validation < self.best_loss:
            self.best, self.best_loss = copy.deepcopy(self.inverter.state_dict()), validation
        return validation

    def end_epoch(self) -> dict[str, float]:
        """Keep the inverter if it was never better, adapt the learning rate; what the log says of the epoch."""
        training = float(torch.stack(self.training_losses).mean())
        self.training_losses = []
        validation = self.keep_best()
        if self.halving:
            self.halving.step(training)
        rate = self.optimiser.param_groups[0]["lr"]
        return {"training_loss": training, "validation_loss": validation, "learning_rate": rate}

    def best_inverter(self) -> FeatureInverter:
        """The inverter as it was after the epoch with the lowest validation loss, in evaluation mode."""
        best = FeatureInverter(self.layer, self.options.variant)
        best.load_state_dict(self.best)
        return best.eval()

    def state(self) -> dict[str, Any]:
        """Everything that changes, between two epochs."""
        numbers = {"updated": self.updated, "best": self.best, "best_loss": self.best_loss}
        return {part: getattr(self, part).state_dict() for part in self._parts()} | numbers

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what `state` gave."""
        for part in self._parts():
            getattr(self, part).load_state_dict(state[part])
        self.updated, self.best, self.best_loss = state["updated"], state["best"], state["best_loss"]

    def _parts(self) -> tuple[str, ...]:
        return ("inverter", "optimiser", "cycle" if self.cycle else "halving")

    def _loss(self, heard: Heard, network: SVDNet, progress: float = 1.0) -> Tensor:
        with activations(torch.device("cpu"), bfloat16=self.options.bfloat16):
            inverted = self.inverter(heard.activations[self.layer])
            weights = self.options.weights(self.method, progress)
            rows = None if self.inverter.sketch is None else row_weights(heard.excerpts)
            return objective(inverted, heard, network, self.options.comparator, weights, rows)


def _decayed(inverter: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Parameter groups: kernels, whose gradient of β‖w‖² is 2βw; and the rest, which is left free."""
    kernels = [p for p in inverter.parameters() if p.ndim > 1]
    rest = [p for p in inverter.parameters() if p.ndim <= 1]
    return [{"params": kernels, "weight_decay": 2 * weight_decay}, {"params": rest, "weight_decay": 0.0}]
