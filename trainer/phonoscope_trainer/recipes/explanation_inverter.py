"""Trains the explanation inverter on FC8 features (Mishra et al., EUSIPCO 2018, section III.A and Eq. 2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from phonoscope_trainer.networks.inverter import ExplanationInverter, Variant
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.ranges import at_least
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.seeds import step_seed

ENCODE_ROWS = 64


@dataclass(frozen=True, slots=True)
class InverterOptions:
    """How the inverter is trained; the defaults are the paper's, but for the number of excerpts."""

    epochs: int = 30
    excerpts: int = 12_000  # the paper takes about 100 000, every tenth frame of its training songs
    batch: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4  # L2
    patience: int = 2  # epochs of unchanged loss after which the learning rate is halved
    variant: Variant = "table"
    seed: int = 0

    def __post_init__(self) -> None:
        at_least(1, self, "epochs", "excerpts", "batch")


@dataclass(frozen=True, slots=True)
class Pairs:
    """What the inverter learns from: standardised excerpts and the detector's features of them."""

    excerpts: Tensor  # [N, 115, 80]
    fc8: Tensor  # [N, 64]


@torch.inference_mode()
def encode(excerpts: Tensor, network: SVDNet) -> Pairs:
    """The excerpts with their FC8 features."""
    features = [network.activations(part)["fc8"] for part in excerpts.split(ENCODE_ROWS)]
    return Pairs(excerpts, torch.cat(features))


def train_inverter(folder: Path, pairs: Pairs, options: InverterOptions) -> ExplanationInverter:
    """Train, or resume, the run in `folder`; the trained inverter in evaluation mode.

    The loss is the squared Euclidean distance between excerpt and inversion, averaged over bins here so that the
    learning rate does not depend on the excerpt's size; Adam's steps are the same up to its epsilon.

    Raises:
        CheckpointError: `folder` holds a run with other options.
    """
    state = checkpoint.open_run(folder, options)
    torch.manual_seed(options.seed)
    inverter = ExplanationInverter(options.variant)
    optimiser = torch.optim.Adam(inverter.parameters(), options.learning_rate, weight_decay=options.weight_decay)
    halving = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, factor=0.5, patience=options.patience)
    first = 0
    if state is not None:
        inverter.load_state_dict(state["inverter"])
        optimiser.load_state_dict(state["optimiser"])
        halving.load_state_dict(state["halving"])
        first = int(state["epoch"])
    with SummaryWriter(str(folder)) as log, tqdm(total=options.epochs, initial=first, unit="epoch") as bar:
        for epoch in range(first, options.epochs):
            losses = [
                _update(inverter, optimiser, pairs.fc8[rows], pairs.excerpts[rows])
                for rows in _shuffled(len(pairs.fc8), options, epoch)
            ]
            loss = sum(losses) / len(losses)
            halving.step(loss)
            log.add_scalar("loss", loss, epoch)
            bar.set_postfix(loss=f"{loss:.4f}")
            bar.update()
            state = {"inverter": inverter.state_dict(), "optimiser": optimiser.state_dict()}
            state["halving"] = halving.state_dict()
            checkpoint.save(folder, state | {"epoch": epoch + 1})
    return inverter.eval()


def load_inverter(folder: Path) -> ExplanationInverter:
    """The inverter of a run, ready to invert.

    Raises:
        CheckpointError: the folder holds no readable run.
    """
    inverter = ExplanationInverter(checkpoint.options(folder)["variant"])
    inverter.load_state_dict(checkpoint.load(folder)["inverter"])
    return inverter.eval()


def _shuffled(count: int, options: InverterOptions, epoch: int) -> Iterator[Tensor]:
    order = torch.randperm(count, generator=torch.Generator().manual_seed(step_seed(options.seed, epoch)))
    return (rows for rows in order.split(options.batch) if len(rows) > 1)  # batch norm needs two


def _update(inverter: ExplanationInverter, optimiser: torch.optim.Optimizer, fc8: Tensor, excerpts: Tensor) -> float:
    loss = torch.mean((inverter(fc8) - excerpts) ** 2)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return loss.item()
