"""Trains SVDNet as its authors did (Schlüter & Grill 2015, and their released code).

Stochastic gradient descent with Nesterov's momentum, 20 epochs of 2000 batches of 32 excerpts, the learning rate cut
to 85 % after each epoch, dropout, orthogonal initial weights, no batch normalisation, no weight decay; the weights
after the last epoch are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch

from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.networks.layout import channels_last
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.ranges import at_least
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.detector import training
from phonoscope_trainer.recipes.detector.published_excerpts import PublishedOptions
from phonoscope_trainer.recipes.devices import DeviceName, chosen_device

EPOCHS, EPOCH_UPDATES = 20, 2000


@dataclass(frozen=True, slots=True)
class Schlueter2015Options:
    """How the detector is trained; saved with the run. The defaults are the paper's."""

    recipe: Literal["schlueter-2015"] = "schlueter-2015"
    updates: int = EPOCHS * EPOCH_UPDATES
    epoch_updates: int = EPOCH_UPDATES
    learning_rate: float = 0.01
    learning_rate_decay: float = 0.85  # factor after each epoch
    momentum: float = 0.95
    seed: int = 0
    checkpoint_every: int = 250
    threads: int = 2  # of the CPU
    device: DeviceName = "auto"
    bfloat16: bool = False
    compiled: bool = False
    excerpts: PublishedOptions = field(default_factory=PublishedOptions)
    corpora: tuple[str, ...] = ()
    teacher: str = ""  # of what nobody labelled; empty: none
    licence: str = ""  # of recordings in folders that state none

    def __post_init__(self) -> None:
        at_least(1, self, "updates", "epoch_updates")
        for name, limit in (("learning_rate", float("inf")), ("learning_rate_decay", 1.0), ("momentum", 1.0)):
            if not 0 < getattr(self, name) <= limit:
                raise OptionsError(f"{name} must be above 0 and at most {limit}, got {getattr(self, name)}")


def new_learner(standardise: Standardise, options: Schlueter2015Options) -> training.Learner:
    """An untrained network with its optimiser and schedule, on the options' device.

    Raises:
        OptionsError: that device is not there.
    """
    device = chosen_device(options.device)
    torch.manual_seed(options.seed)
    network = SVDNet().train().to(device)
    channels_last(network)
    optimiser = torch.optim.SGD(network.parameters(), options.learning_rate, options.momentum, nesterov=True)
    schedule = torch.optim.lr_scheduler.StepLR(optimiser, options.epoch_updates, options.learning_rate_decay)
    return training.Learner(network, standardise.to(device), optimiser, schedule)


def train_detector(
    folder: Path, draw: Callable[[int], training.Batch], standardise: Standardise, options: Schlueter2015Options
) -> SVDNet:
    """Train, or resume, the run in `folder`; the network after the last update.

    Args:
        folder: the run: options, checkpoint and TensorBoard log.
        draw: the step-th batch: log-mel `[B, 115, 80]` and labels `[B, 1]`.
        standardise: the training corpora's band statistics; saved with the network.
        options: everything else.

    Raises:
        CheckpointError: `folder` holds a run with other options.
        OptionsError: the device asked for is not there.
    """
    torch.set_num_threads(options.threads)
    learner = new_learner(standardise, options)
    return training.train(folder, draw, learner, options, checkpoint.open_run(folder, options))
