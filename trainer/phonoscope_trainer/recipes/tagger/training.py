"""Trains the tagger (Choi et al. 2015 and 2016) in a short run.

Differences from the papers, which do not say how they trained: batch normalisation, folded into the kernels afterwards;
AdamW under a one-cycle schedule; every clip louder or softer at random; whole maps dropped one time in ten, not in two,
since a run of minutes cannot make up for what half the maps miss (`map_dropout` 0.5 is the paper's).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.frontends.linear import LinearStft
from phonoscope_trainer.networks.layout import channels_last
from phonoscope_trainer.networks.tagger import Tagger, Variant
from phonoscope_trainer.ranges import at_least
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.precision import activations
from phonoscope_trainer.recipes.seeds import step_seed

LOG_EVERY = 10  # updates
EVALUATION_BATCH = 32

Draw = Callable[[int], tuple[Tensor, Tensor]]  # step → samples `[B, N]` and labels `[B]`


@dataclass(frozen=True, slots=True)
class TaggerOptions:
    """How the tagger is trained; saved with the run."""

    variant: Variant = "2016"
    updates: int = 1000
    batch: int = 16  # clips
    learning_rate: float = 2e-3  # at the peak of the cycle
    weight_decay: float = 1e-2
    warm_up: float = 0.15  # share of updates before the peak
    map_dropout: float = 0.1
    gain_db: float = 6.0  # clips are louder or softer by up to this
    validate_every: int = 100  # updates; the checkpoint is written then, too
    validation_clips: int = 4  # of each song of the validation split
    seed: int = 0
    bfloat16: bool = True  # activations; weights and their update stay float32
    labels: tuple[str, ...] = ()
    music: str = ""  # digest of what it is trained on
    songs: str = ""  # where that lies; empty: the rendered genres

    def __post_init__(self) -> None:
        at_least(1, self, "updates", "batch", "validate_every", "validation_clips")
        if not self.learning_rate > 0:
            raise OptionsError(f"learning_rate must be above 0, got {self.learning_rate:g}")
        if not 0 <= self.map_dropout < 1:
            raise OptionsError(f"map_dropout must lie in [0, 1), got {self.map_dropout:g}")
        if len(self.labels) < 2:
            raise OptionsError(f"labels must be at least two, got {len(self.labels)}")


def untrained(options: TaggerOptions) -> Tagger:
    """The network as a run with these options begins."""
    torch.manual_seed(options.seed)
    return Tagger(len(options.labels), options.variant, batch_norm=True, map_dropout=options.map_dropout)


class TaggerLearner:
    """A tagger, its optimiser and schedule, and what it was at its best."""

    def __init__(self, options: TaggerOptions) -> None:
        self.options = options
        self.network = untrained(options)
        channels_last(self.network)
        self.best, self.best_loss = copy.deepcopy(self.network.state_dict()), math.inf
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), options.learning_rate, weight_decay=options.weight_decay
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser,
            options.learning_rate,
            total_steps=options.updates,
            pct_start=options.warm_up,
            cycle_momentum=False,
        )

    def update(self, magnitude: Tensor, labels: Tensor, step: int) -> dict[str, float]:
        """One step of the optimiser; what the log says of it."""
        torch.manual_seed(step_seed(self.options.seed, step))  # dropout, too, depends on the step alone
        self.network.train()
        with activations(torch.device("cpu"), bfloat16=self.options.bfloat16):
            logits = self.network(magnitude).float()
        loss = F.cross_entropy(logits, labels)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.schedule.step()
        return {
            "loss": float(loss.detach()),
            "accuracy": float((logits.argmax(dim=1) == labels).float().mean()),
            "learning_rate": float(self.schedule.get_last_lr()[0]),
        }

    def validate(self, magnitude: Tensor, labels: Tensor) -> dict[str, float]:
        """Keep the network if it was never better; loss and accuracy."""
        logits = torch.log(probabilities(self.network.eval(), magnitude))
        loss = float(F.nll_loss(logits, labels))
        if loss < self.best_loss:
            self.best, self.best_loss = copy.deepcopy(self.network.state_dict()), loss
        return {"validation_loss": loss, "validation_accuracy": float((logits.argmax(1) == labels).float().mean())}

    def state(self, step: int) -> dict[str, Any]:
        """Everything that changes, after `step` updates."""
        parts = {name: getattr(self, name).state_dict() for name in ("network", "optimiser", "schedule")}
        return parts | {"best": self.best, "best_loss": self.best_loss, "step": step}

    def restore(self, state: dict[str, Any]) -> int:
        """Take over a state; how many updates led to it."""
        for name in ("network", "optimiser", "schedule"):
            getattr(self, name).load_state_dict(state[name])
        self.best, self.best_loss = state["best"], state["best_loss"]
        return int(state["step"])


def train_tagger(folder: Path, draw: Draw, validation: tuple[Tensor, Tensor], options: TaggerOptions) -> Tagger:
    """Train, or resume, the run in `folder`; the network with the lowest validation loss, folded, in evaluation mode.

    Args:
        folder: the run: options, checkpoint and TensorBoard log.
        draw: the step-th batch.
        validation: samples `[V, N]` and labels `[V]` on which the best network is chosen.
        options: everything else.

    Raises:
        CheckpointError: `folder` holds a run with other options.
    """
    state = checkpoint.open_run(folder, options)
    learner, frontend = TaggerLearner(options), LinearStft()
    first = learner.restore(state) if state else 0
    heard, labels = _magnitudes(frontend, validation[0]), validation[1]
    bar = tqdm(total=options.updates, initial=first, desc=f"tagger {options.variant}", unit="update", smoothing=0.05)
    with SummaryWriter(str(folder), purge_step=first) as log, bar:
        for step in range(first, options.updates):
            samples, wanted = draw(step)
            figures = learner.update(_magnitudes(frontend, samples), wanted, step)
            last = step + 1 == options.updates
            if (step + 1) % options.validate_every == 0 or last:
                figures |= learner.validate(heard, labels)
                checkpoint.save(folder, learner.state(step + 1))
            if step % LOG_EVERY == 0 or "validation_loss" in figures:
                for name, value in figures.items():
                    log.add_scalar(name, value, step)
                bar.set_postfix({name: f"{value:.2g}" for name, value in figures.items()}, refresh=False)
            bar.update()
    return _at_its_best(options, learner.best)


def load_tagger(folder: Path) -> tuple[Tagger, TaggerOptions]:
    """The network of a run at its best, folded, in evaluation mode, and how it was trained.

    Raises:
        CheckpointError: the folder holds no readable run.
    """
    stored = checkpoint.options(folder)
    options = TaggerOptions(**stored | {"labels": tuple(stored["labels"])})
    return _at_its_best(options, checkpoint.load(folder)["best"]), options


@torch.inference_mode()
def probabilities(network: Tagger, magnitude: Tensor) -> Tensor:
    """`[B, classes]` of `magnitude` `[B, T, bins]`, in float32, a few clips at a time."""
    return torch.cat([torch.softmax(network(part), dim=1) for part in magnitude.split(EVALUATION_BATCH)])


def _at_its_best(options: TaggerOptions, best: dict[str, Any]) -> Tagger:
    network = untrained(options)
    network.load_state_dict(best)
    return network.eval().folded()


@torch.no_grad()  # not inference mode: what that makes cannot be trained on
def _magnitudes(frontend: LinearStft, samples: Tensor) -> Tensor:
    return torch.cat([frontend(part) for part in samples.split(EVALUATION_BATCH)])
