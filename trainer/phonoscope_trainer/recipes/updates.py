"""A run update by update: resumed where it was stopped, validated and saved every so often, its figures logged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from phonoscope_trainer.recipes import checkpoint

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Figures = Mapping[str, float]


class Schedule(Protocol):
    """Of a recipe's options, those that say how often."""

    @property
    def updates(self) -> int:
        """Steps of the optimiser in all."""
        ...

    @property
    def validate_every(self) -> int:
        """Updates from one validation to the next; the last update is followed by one, too."""
        ...


class Resumable(Protocol):
    """What learns, as far as a run that is stopped needs it."""

    def state(self) -> dict[str, Any]:
        """Everything that changes."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `state` gave."""
        ...


def resumed(folder: Path, options: DataclassInstance, learner: Resumable) -> int:
    """Opens the run in `folder`, and restores a learner from what is there; how many updates led to it.

    Raises:
        CheckpointError: `folder` holds a run with other options.
    """
    state = checkpoint.open_run(folder, options)
    if state is None:
        return 0
    learner.restore(state)
    return int(state["step"])


def run_updates(
    folder: Path,
    first: int,
    schedule: Schedule,
    title: str,
    update: Callable[[int], Figures],
    validate: Callable[[], Figures],
    state: Callable[[int], Mapping[str, Any]],
) -> None:
    """Every update from the first that is missing on.

    Args:
        folder: the run, opened.
        first: updates that were made before.
        schedule: how many there are, and how often they are validated and saved.
        title: of the progress bar.
        update: makes the step-th; its figures.
        validate: the figures after some.
        state: what is saved after so many updates, the step beside it.
    """
    bar = tqdm(total=schedule.updates, initial=first, desc=title, unit="update", smoothing=0.05)
    with SummaryWriter(str(folder), purge_step=first) as log, bar:
        for step in range(first, schedule.updates):
            for name, value in update(step).items():
                log.add_scalar(f"training/{name}", value, step)
            bar.update()
            if (step + 1) % schedule.validate_every == 0 or step + 1 == schedule.updates:
                means = validate()
                for name, value in means.items():
                    log.add_scalar(f"validation/{name}", value, step)
                bar.set_postfix({name: f"{value:.2f}" for name, value in means.items()})
                checkpoint.save(folder, {**state(step + 1), "step": step + 1})
