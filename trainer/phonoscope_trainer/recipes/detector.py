"""Trains SVDNet with a modern recipe: the published architecture and augmentation in a tenth of the compute.

Differences from Schlüter & Grill 2015: batch normalisation, folded into the kernels afterwards; AdamW under a one-cycle
schedule; and several overlapping excerpts a row, which share all convolutions below their last pooled map.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.excerpts import ExcerptOptions

TARGET_FLOOR, TARGET_RANGE = 0.02, 0.96  # targets 0.02 and 0.98 (Schlüter & Grill 2015, released code)


@dataclass(frozen=True, slots=True)
class DetectorOptions:
    """How the detector is trained; saved with the run."""

    updates: int = 2500
    learning_rate: float = 2e-3  # at the peak of the cycle
    weight_decay: float = 2e-2
    warm_up: float = 0.15  # share of updates before the peak
    seed: int = 0
    checkpoint_every: int = 250
    threads: int = 2
    bfloat16: bool = True  # activations; weights and their update stay float32
    excerpts: ExcerptOptions = field(default_factory=ExcerptOptions)
    corpora: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.updates < 1:
            raise OptionsError(f"updates must be at least 1, got {self.updates}")
        if not self.learning_rate > 0:
            raise OptionsError(f"learning_rate must be above 0, got {self.learning_rate}")


Batch = tuple[Tensor, Tensor]


def prefetched(draw: Callable[[int], Batch], steps: Iterable[int]) -> Iterator[tuple[int, Batch]]:
    """Batches drawn one step ahead in another thread."""
    with ThreadPoolExecutor(1) as pool:
        pending = None
        for step in steps:
            following = (step, pool.submit(draw, step))
            if pending:
                yield pending[0], pending[1].result()
            pending = following
        if pending:
            yield pending[0], pending[1].result()


def train_detector(
    folder: Path, draw: Callable[[int], Batch], standardise: Standardise, options: DetectorOptions
) -> SVDNet:
    """Train, or resume, the run in `folder`; the trained network, batch normalisation folded.

    Args:
        folder: the run: options, checkpoint and TensorBoard log.
        draw: the step-th batch: log-mel `[B, T, M]` and labels `[B, S]`.
        standardise: the training corpora's band statistics; saved with the network.
        options: everything else.

    Raises:
        CheckpointError: `folder` holds a run with other options.
    """
    state = checkpoint.open_run(folder, options)
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    network = SVDNet(batch_norm=True).train()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub omits this form
    optimiser = torch.optim.AdamW(network.parameters(), options.learning_rate, weight_decay=options.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, options.learning_rate, total_steps=options.updates, pct_start=options.warm_up
    )
    first = 0
    if state is not None:
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        first = int(state["step"])

    def save(step: int) -> None:
        parts: dict[str, Any] = {"network": network, "optimiser": optimiser, "schedule": schedule}
        parts["standardise"] = standardise
        checkpoint.save(folder, {name: part.state_dict() for name, part in parts.items()} | {"step": step})

    bar = tqdm(total=options.updates, initial=first, desc="detector", unit="update", smoothing=0.05)
    with SummaryWriter(str(folder)) as log, bar:
        for step, (log_mel, labels) in prefetched(draw, range(first, options.updates)):
            torch.manual_seed(options.seed * 1_000_003 + step)  # dropout, too, depends on the step alone
            with torch.autocast("cpu", torch.bfloat16, enabled=options.bfloat16):
                logits = network(standardise(log_mel)).float()
            loss = F.binary_cross_entropy_with_logits(logits, TARGET_FLOOR + TARGET_RANGE * labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            if step % 10 == 0:
                log.add_scalar("loss", loss.item(), step)
                bar.set_postfix(loss=f"{loss.item():.3f}", lr=f"{schedule.get_last_lr()[0]:.1e}", refresh=False)
            bar.update()
            if (step + 1) % options.checkpoint_every == 0 or step + 1 == options.updates:
                save(step + 1)
    return network.eval().folded()


def load_detector(folder: Path) -> tuple[SVDNet, Standardise]:
    """The network of a run, folded and ready to predict, and its band statistics.

    Raises:
        CheckpointError: the folder holds no readable run.
    """
    state = checkpoint.load(folder)
    network = SVDNet(batch_norm=True)
    network.load_state_dict(state["network"])
    standardise = Standardise(state["standardise"]["mean"], state["standardise"]["std"])
    return network.eval().folded(), standardise.eval()
