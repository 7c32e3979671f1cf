"""Trains SVDNet with a modern recipe: the published architecture and augmentation in a tenth of the compute.

Differences from Schlüter & Grill 2015: batch normalisation, folded into the kernels afterwards; AdamW under a one-cycle
schedule; several overlapping excerpts a row, which share all convolutions below their last pooled map; and, where it is
asked for, each row at two levels, whose answers must agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.networks.folding import NORM
from phonoscope_trainer.networks.layout import channels_last
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import CONVOLUTIONS, POOLED, SVDNet
from phonoscope_trainer.ranges import at_least
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.detector import level_agreement, training
from phonoscope_trainer.recipes.detector.calibration import Calibration, kept
from phonoscope_trainer.recipes.detector.excerpts import ExcerptOptions
from phonoscope_trainer.recipes.detector.level_agreement import LevelAgreement
from phonoscope_trainer.recipes.devices import DeviceName, chosen_device
from phonoscope_trainer.repository.manifest import MANIFEST
from phonoscope_trainer.repository.shipped_graphs import network_of, standardise_of


@dataclass(frozen=True, slots=True)
class DetectorOptions:
    """How the detector is trained; saved with the run."""

    recipe: Literal["modern"] = "modern"
    updates: int = 2500
    learning_rate: float = 2e-3  # at the peak of the cycle
    weight_decay: float = 2e-2
    warm_up: float = 0.15  # share of updates before the peak
    seed: int = 0
    checkpoint_every: int = 250
    threads: int = 2  # of the CPU
    device: DeviceName = "auto"
    bfloat16: bool = True  # activations; weights and their update stay float32
    compiled: bool = False
    excerpts: ExcerptOptions = field(default_factory=ExcerptOptions)
    level_agreement: LevelAgreement = field(default_factory=LevelAgreement)
    corpora: tuple[str, ...] = ()
    teacher: str = ""  # of what nobody labelled; empty: none
    licence: str = ""  # of recordings in folders that state none
    start: str = ""  # a finished run or a bundle to go on from, through another cycle; empty: from random weights
    keep_convolutions: str = ""  # up to this one, as they are there, so that only what follows learns; empty: none

    def __post_init__(self) -> None:
        at_least(1, self, "updates")
        if not self.learning_rate > 0:
            raise OptionsError(f"learning_rate must be above 0, got {self.learning_rate}")
        if self.keep_convolutions not in ("", *CONVOLUTIONS):
            raise OptionsError(
                f"keep_convolutions must be one of {', '.join(CONVOLUTIONS)}, got {self.keep_convolutions!r}"
            )
        if self.keep_convolutions and not self.start:
            raise OptionsError("keep_convolutions: needs a run or a bundle to start from")


def new_learner(standardise: Standardise, options: DetectorOptions) -> training.Learner:
    """A network, untrained or as it is where it starts from, its optimiser and schedule, on the options' device.

    Raises:
        CheckpointError: the run to start from cannot be read.
        ExportError: the bundle to start from holds another network.
        OptionsError: that device is not there.
    """
    device = chosen_device(options.device)
    torch.manual_seed(options.seed)
    network = SVDNet(batch_norm=True)
    if options.start:
        network, known = _started_from(Path(options.start))
        standardise.load_state_dict(known)  # what those weights are used to
    network = network.requires_grad_().train().to(device)
    for name in kept_convolutions(options.keep_convolutions):
        for part in (name, f"{name}{NORM}") if network.batch_norm else (name,):
            network.get_submodule(part).eval().requires_grad_(requires_grad=False)
    channels_last(network)
    learning = [weight for weight in network.parameters() if weight.requires_grad]
    optimiser = torch.optim.AdamW(learning, options.learning_rate, weight_decay=options.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, options.learning_rate, total_steps=options.updates, pct_start=options.warm_up
    )
    return training.Learner(network, standardise.to(device), optimiser, schedule)


def _started_from(start: Path) -> tuple[SVDNet, dict[str, Tensor]]:
    """The network that a run left or a bundle ships, and the state of its band statistics.

    A bundle's has no batch normalisation any more, and learns on without it.
    """
    if (start / MANIFEST).is_file():
        return network_of(start), standardise_of(start).state_dict()
    state = checkpoint.load(start)
    network = SVDNet(batch_norm=_has_norms(state))
    network.load_state_dict(state["network"])
    return network, state["standardise"]


def train_detector(
    folder: Path, draw: Callable[[int], training.Batch], standardise: Standardise, options: DetectorOptions
) -> SVDNet:
    """Train, or resume, the run in `folder`; the trained network, batch normalisation folded.

    Args:
        folder: the run: options, checkpoint and TensorBoard log.
        draw: the step-th batch: log-mel `[B, T, M]` and labels `[B, S]`.
        standardise: the training corpora's band statistics; saved with the network.
        options: everything else.

    Raises:
        CheckpointError: `folder` holds a run with other options.
        OptionsError: the device asked for is not there.
    """
    torch.set_num_threads(options.threads)
    learner, state = new_learner(standardise, options), checkpoint.open_run(folder, options)
    if options.level_agreement.weight == 0:
        return training.train(folder, draw, learner, options, state)
    draw = level_agreement.heard_twice(draw, options.level_agreement, options.seed)
    return training.train(folder, draw, learner, options, state, level_agreement.objective(options.level_agreement))


def kept_convolutions(last: str | bool) -> tuple[str, ...]:
    """The convolutions up to and with `last`; none for nothing, all for True, which older runs say."""
    names = tuple(CONVOLUTIONS)
    return names if last is True else names[: names.index(last) + 1] if last else ()


def same_layer(layer: str, run: Path, later: Path) -> bool:
    """Whether a layer hears the same in two runs: in one run, or in a later one that kept all convolutions up to it."""
    while later != run:
        path = later / checkpoint.OPTIONS
        options = checkpoint.options(later) if path.is_file() else {}
        kept = kept_convolutions(options.get("keep_convolutions", ""))
        if layer not in kept and layer not in (POOLED.get(name) for name in kept):
            return False
        later = Path(options["start"])
    return True


def load_detector(folder: Path) -> tuple[SVDNet, Standardise]:
    """The network of a run of any recipe, folded, calibrated where its run is, and ready to predict; band statistics.

    Raises:
        CheckpointError: the folder holds no readable run.
    """
    network, standardise, calibration = load_uncalibrated(folder)
    return network.rescaled(calibration.scale, calibration.offset) if calibration else network, standardise


def load_uncalibrated(folder: Path) -> tuple[SVDNet, Standardise, Calibration | None]:
    """The network of a run as it was trained, its band statistics, and the calibration that is kept with it.

    Raises:
        CheckpointError: the folder holds no readable run.
    """
    state = checkpoint.load(folder)
    network = SVDNet(batch_norm=_has_norms(state))
    network.load_state_dict(state["network"])
    standardise = Standardise(state["standardise"]["mean"], state["standardise"]["std"])
    return network.eval().folded(), standardise.eval(), kept(folder, int(state.get("step", 0)))


def _has_norms(state: dict[str, Any]) -> bool:
    return any(f"{NORM}." in name for name in state["network"])
