"""The loop every detector recipe shares: draw, update, log, keep.

What an update does depends on options, seed and step alone, so a run that was killed resumes to the same weights.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.devices import Utilisation, loaders
from phonoscope_trainer.recipes.precision import activations
from phonoscope_trainer.recipes.seeds import step_seed

TARGET_FLOOR, TARGET_RANGE = 0.02, 0.96  # targets 0.02 and 0.98 (Schlüter & Grill 2015, released code)
LOG_EVERY = 10  # updates
ON_THE_BAR = {
    "loss": "loss",
    "learning_rate": "lr",
    "data_wait_share": "wait",
    "cpu_utilisation": "cpu",
    "gpu_utilisation": "gpu",
}
PICTURES = 8  # of input excerpts, in the log
PICTURE_DEVIATIONS = 3.0  # black to white is this many standard deviations either way

Batch = tuple[Tensor, Tensor]  # log-mel `[B, T, M]` and labels `[B, S]`, 0 to 1; NaN where nobody knows
Forward = Callable[[Tensor], Tensor]  # a network, or the same network compiled
Objective = Callable[[Tensor, Tensor], Tensor]  # a scalar from logits and labels, both `[B, S]`


class TrainingOptions(Protocol):
    """What the loop reads of a recipe's options."""

    @property
    def updates(self) -> int:
        """Optimiser steps of the whole run."""

    @property
    def seed(self) -> int:
        """Of everything that is drawn."""

    @property
    def checkpoint_every(self) -> int:
        """Updates from one checkpoint to the next."""

    @property
    def bfloat16(self) -> bool:
        """Whether activations are bfloat16."""

    @property
    def compiled(self) -> bool:
        """Whether PyTorch compiles the network."""


@dataclass(frozen=True, slots=True)
class Learner:
    """Everything that changes while a network learns: what a checkpoint holds."""

    network: SVDNet
    standardise: Standardise
    optimiser: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler

    def state(self, step: int) -> dict[str, Any]:
        """The state after `step` updates."""
        return {part.name: getattr(self, part.name).state_dict() for part in fields(self)} | {"step": step}

    def restore(self, state: dict[str, Any]) -> int:
        """Take over a state; how many updates led to it."""
        for part in fields(self):
            getattr(self, part.name).load_state_dict(state[part.name])
        return int(state["step"])


def prefetched(draw: Callable[[int], Batch], steps: Iterable[int], threads: int = 1) -> Iterator[tuple[int, Batch]]:
    """Batches drawn ahead, as many as there are threads to draw them; in order."""
    pending: deque[tuple[int, Future[Batch]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for step in steps:
            pending.append((step, pool.submit(draw, step)))
            if len(pending) > threads:
                ready, batch = pending.popleft()
                yield ready, batch.result()
        for ready, batch in pending:
            yield ready, batch.result()


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Binary cross-entropy of logits `[B, S]` and labels `[B, S]` (0 to 1), mean over all that are known.

    Targets avoid certainty; a label that is NaN counts for nothing.
    """
    known = ~labels.isnan()
    targets = TARGET_FLOOR + TARGET_RANGE * labels.nan_to_num()
    losses = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    return (losses * known).sum() / known.sum().clamp(min=1)


def update(
    learner: Learner,
    forward: Forward,
    batch: Batch,
    options: TrainingOptions,
    step: int,
    objective: Objective = cross_entropy,
) -> Tensor:
    """One step of the optimiser on one batch; its loss, a scalar.

    Args:
        learner: what learns.
        forward: its network, or the same network compiled.
        batch: log-mel and labels, on any device.
        options: seed and precision.
        step: the number of updates before this one.
        objective: the loss.
    """
    device = next(learner.network.parameters()).device
    log_mel, labels = (part.to(device, non_blocking=True) for part in batch)
    torch.manual_seed(step_seed(options.seed, step))  # dropout, too, depends on the step alone
    with activations(device, bfloat16=options.bfloat16):
        logits = forward(learner.standardise(log_mel)).float()
    loss = objective(logits, labels)
    learner.optimiser.zero_grad()
    loss.backward()
    learner.optimiser.step()
    learner.schedule.step()
    return loss.detach()


def progress(learner: Learner, loss: Tensor) -> dict[str, float]:
    """What the log says of the last update."""
    gradients = [weight.grad for weight in learner.network.parameters() if weight.grad is not None]
    return {
        "loss": float(loss),
        "learning_rate": float(learner.schedule.get_last_lr()[0]),
        "gradient_norm": float(torch.nn.utils.get_total_norm(gradients)),
    }


def pictures(standardise: Standardise, log_mel: Tensor) -> Tensor:
    """The first excerpts as images `[N, 1, M, T]` between 0 and 1, low bands at the bottom."""
    standardised = standardise(log_mel[:PICTURES].to(standardise.mean.device)) / (2 * PICTURE_DEVIATIONS) + 0.5
    return torch.clamp(standardised, 0, 1).transpose(1, 2).flip(1).unsqueeze(1)


def train(
    folder: Path,
    draw: Callable[[int], Batch],
    learner: Learner,
    options: TrainingOptions,
    state: dict[str, Any] | None,
    objective: Objective = cross_entropy,
) -> SVDNet:
    """Train, or go on from `state`; the trained network on the CPU, batch normalisation folded.

    The checkpoint of the last update is the one kept. TensorBoard's log, beside it, holds loss, learning rate, norm of
    the gradient, how busy the machine is, and pictures of the first excerpts.
    """
    device = next(learner.network.parameters()).device
    first = learner.restore(state) if state else 0
    forward: Forward = torch.compile(learner.network) if options.compiled else learner.network
    usage = Utilisation(device)
    batches = usage.waiting_for(prefetched(draw, range(first, options.updates), loaders(device)))
    bar = tqdm(total=options.updates, initial=first, desc="detector", unit="update", smoothing=0.05)
    with SummaryWriter(str(folder), purge_step=first) as log, bar:
        for step, batch in batches:
            if step == 0:
                log.add_images("excerpts", pictures(learner.standardise, batch[0]), step)
            loss = update(learner, forward, batch, options, step, objective)
            if step % LOG_EVERY == 0:
                figures = progress(learner, loss) | usage.read()
                for name, value in figures.items():
                    log.add_scalar(name, value, step)
                shown = {short: f"{figures[name]:.2g}" for name, short in ON_THE_BAR.items() if name in figures}
                bar.set_postfix(shown, refresh=False)
            bar.update()
            if (step + 1) % options.checkpoint_every == 0 or step + 1 == options.updates:
                checkpoint.save(folder, learner.state(step + 1))
    return learner.network.cpu().eval().folded()
