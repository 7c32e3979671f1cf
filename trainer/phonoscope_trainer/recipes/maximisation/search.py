"""Which settings make examples that a detector answers like real music: the search by FID (2019, sections 2.4 and 3.4).

A folder holds the search: its options, one file for each trajectory that is finished, and the table. Killed, it goes on
with the first trajectory that is missing.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.networks.gan import LATENT
from phonoscope_trainer.ranges import at_least
from phonoscope_trainer.recipes.gan.frechet import frechet_distance
from phonoscope_trainer.recipes.maximisation.ascent import Maximiser, Reading, Setting
from phonoscope_trainer.writing import write_text, written_whole

Floats = NDArray[np.float32]
TABLE = "settings.json"


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """What is searched; the defaults are the paper's. Saved with the run."""

    response: str = "output"  # a weighted sum of units
    sign: int = 1  # 1: maximised, and compared with the highest real responses; -1: minimised, with the lowest
    learning_rates: tuple[float, ...] = (0.1, 0.01, 0.001)
    prior_weights: tuple[float, ...] = (0.1, 0.01, 0.001)  # λ
    steps: tuple[int, ...] = (100, 500, 1000)  # N_t
    examples: int = 50  # N, of either kind
    beta1: float = 0.99  # Adam's; the authors' code has .9
    seed: int = 0
    generator: str = ""  # its run, and below what its weights were
    generator_sha256: str = ""
    detector: str = ""
    corpora: tuple[str, ...] = ()  # whose training music the real excerpts are from

    def __post_init__(self) -> None:
        if self.sign not in (-1, 1):
            raise OptionsError(f"sign must be 1 or -1, got {self.sign}")
        at_least(2, self, "examples")
        if not self.steps or list(self.steps) != sorted(set(self.steps)) or self.steps[0] < 1:
            raise OptionsError(f"steps must increase from at least 1, got {self.steps}")
        if not self.learning_rates or min(self.learning_rates) <= 0:
            raise OptionsError(f"learning_rates must be above 0, got {self.learning_rates}")
        if not self.prior_weights or min(self.prior_weights) < 0:
            raise OptionsError(f"prior_weights must be at least 0, got {self.prior_weights}")
        if not 0 < self.beta1 < 1:
            raise OptionsError(f"beta1 must lie between 0 and 1, got {self.beta1}")

    @property
    def trajectories(self) -> tuple[Setting, ...]:
        """One for each learning rate and λ; every N_t is read off it."""
        pairs = itertools.product(self.learning_rates, self.prior_weights)
        return tuple(Setting(rate, weight, self.sign) for rate, weight in pairs)

    def start(self) -> Floats:
        """`[examples, 128]`: the same z for every setting, maximised and minimised."""
        return np.random.default_rng(self.seed).standard_normal((self.examples, LATENT), np.float32)


@dataclass(frozen=True, slots=True)
class Tried:
    """One setting of the grid and what it led to."""

    setting: Setting
    reading: Reading
    fid: float

    def row(self) -> dict[str, float | int]:
        """As the table has it."""
        responses = self.reading.responses.astype(np.float64)
        return {
            "lr": self.setting.learning_rate,
            "prior_weight": self.setting.prior_weight,
            "steps": self.reading.steps,
            "fid": self.fid,
            "mean": float(responses.mean()),
            "std": float(responses.std(ddof=1)),
        }


def search(folder: Path, maximiser: Maximiser, real: Floats, options: SearchOptions) -> list[Tried]:
    """All settings, best first; trajectories that `folder` holds are not made again.

    Args:
        folder: of the search.
        maximiser: what makes the trajectories.
        real: `[examples]` responses that the generated ones should be like.
        options: the grid.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tried = [
        Tried(setting, reading, frechet_distance(real, reading.responses))
        for setting, readings in _trajectories(folder, maximiser, options)
        for reading in readings
    ]
    ordered = sorted(tried, key=lambda each: each.fid)
    table = {"options": asdict(options), "settings": [each.row() for each in ordered]}
    write_text(folder / TABLE, json.dumps(table, indent=2) + "\n")
    return ordered


def _trajectories(
    folder: Path, maximiser: Maximiser, options: SearchOptions
) -> Iterator[tuple[Setting, Sequence[Reading]]]:
    with tqdm(total=len(options.trajectories) * options.steps[-1], desc="trajectories", unit="step") as bar:
        for setting in options.trajectories:
            path = folder / f"learning-rate-{setting.learning_rate:g}-prior-weight-{setting.prior_weight:g}.npz"
            if path.exists():
                bar.update(options.steps[-1])
            else:
                _save(path, maximiser(options.start(), setting, options.steps, bar.update))
            yield setting, _load(path)


def _save(path: Path, readings: Sequence[Reading]) -> None:
    with written_whole(path) as unfinished, unfinished.open("wb") as file:
        np.savez(
            file,
            steps=[reading.steps for reading in readings],
            points=[reading.points for reading in readings],
            responses=[reading.responses for reading in readings],
        )


def _load(path: Path) -> list[Reading]:
    with np.load(path) as stored:
        columns = (stored[name] for name in ("steps", "points", "responses"))
        return [Reading(int(steps), points, responses) for steps, points, responses in zip(*columns, strict=True)]
