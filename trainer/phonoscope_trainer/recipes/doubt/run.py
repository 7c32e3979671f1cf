"""A fitted doubt as a run: what it was fitted to, and of which detector."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phonoscope_trainer.errors import CheckpointError
from phonoscope_trainer.networks.doubt import Doubt
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.ranges import at_least
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.doubt.fit import TAUGHT


@dataclass(frozen=True, slots=True)
class DoubtOptions:
    """What doubt is fitted to; saved with the run."""

    detector: str = ""  # run
    corpora: tuple[str, ...] = ()  # of music
    recordings: int = 40  # of each kind of a corpus, at most
    pieces: int = 40  # of each kind of a corpus, of 16 excerpts each
    sounds: int = 8  # of each kind of foreign sound
    seed: int = 0
    taught: tuple[str, ...] = TAUGHT

    def __post_init__(self) -> None:
        at_least(1, self, "recordings", "pieces", "sounds")


@dataclass(frozen=True, slots=True)
class FittedDoubt:
    """Doubt and its distribution."""

    doubt: Doubt
    quantiles: tuple[float, ...]  # 0 % … 100 % of doubt over validation music

    @property
    def entries(self) -> Mapping[str, Any]:
        """What a manifest says of it."""
        return {"doubt": {"quantiles": self.quantiles}}


def save_doubt(folder: Path, options: DoubtOptions, fitted: FittedDoubt, network: SVDNet) -> None:
    """Keep a doubt that was fitted to a detector.

    Raises:
        CheckpointError: `folder` holds a run with other options.
    """
    checkpoint.open_run(folder, options)
    state = {
        "doubt": fitted.doubt.state_dict(),
        "quantiles": [float(each) for each in fitted.quantiles],
        "network": digest(network),
    }
    checkpoint.save(folder, state)


def load_doubt(folder: Path, network: SVDNet) -> FittedDoubt:
    """The doubt of a run, ready to be asked of `network`.

    Raises:
        CheckpointError: the folder holds no readable run, or a doubt of another detector's answers.
    """
    state = checkpoint.load(folder)
    if state["network"] != digest(network):
        raise CheckpointError(f"{folder}: this doubt was fitted to another detector; fit one to this")
    doubt = Doubt()
    doubt.load_state_dict(state["doubt"])
    return FittedDoubt(doubt.eval(), tuple(state["quantiles"]))


def digest(network: SVDNet) -> str:
    """SHA-256 of a network's weights, its calibration among them."""
    found = hashlib.sha256()
    for name, weight in sorted(network.state_dict().items()):
        found.update(name.encode() + weight.contiguous().numpy().tobytes())
    return found.hexdigest()
