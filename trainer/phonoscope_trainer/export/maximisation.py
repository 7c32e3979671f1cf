"""What units want to hear: the generator of a bundle, and the settings to maximise with (Mishra et al. 2019)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from phonoscope_trainer.errors import CheckpointError
from phonoscope_trainer.export.part import Family, Part, TrainedDetector
from phonoscope_trainer.graphs.description import Ensemble, Step, TensorSpec, maps, numbers, same
from phonoscope_trainer.graphs.griffin_lim import griffin_lim_graph
from phonoscope_trainer.graphs.maximise import PAPER_ADAM, AdamOptions, maximise_graphs
from phonoscope_trainer.networks.gan import LATENT, Generator
from phonoscope_trainer.networks.inverter import parameter_count
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.gan.options import GanOptions
from phonoscope_trainer.recipes.gan.training import load_generator
from phonoscope_trainer.recipes.maximisation.search import TABLE

GENERATED = Ensemble(
    "generated",
    (TensorSpec("z", (LATENT,)),),
    (*maps("log_mel"), *numbers("probability")),
    (
        Step("generate", same("z"), same("log_mel", "standardised")),
        Step("detector", {"excerpt": "standardised"}, same("probability")),
    ),
)
DIRECTIONS = {1: "maximise", -1: "minimise"}  # by the sign of a search


@dataclass(frozen=True, slots=True)
class MaximisationSettings:
    """What a request that leaves them out is maximised with."""

    steps: int
    learning_rate: float
    prior_weight: float  # λ of Eq. 2


PUBLISHED = {
    "maximise": MaximisationSettings(100, 0.01, 0.001),
    "minimise": MaximisationSettings(1000, 0.001, 0.1),
}  # least FID


def maximisation(runs: Sequence[Path], detector: TrainedDetector) -> Part:
    """A run of a generator, and searches for settings: of one to maximise, of one to minimise, or none.

    A direction without a search has the published settings.

    Raises:
        CheckpointError: a run cannot be used.
    """
    generator, *searches = runs
    tables = [_table(search) for search in searches]
    settings = PUBLISHED | {DIRECTIONS[table["options"]["sign"]]: _best(table) for table in tables}
    training = {"iterations": checkpoint.load(generator)["step"], "published_iterations": GanOptions().iterations}
    adam = AdamOptions(beta1=tables[0]["options"]["beta1"]) if tables else PAPER_ADAM
    commands = tuple(each for run in runs for each in checkpoint.commands(run))
    part = maximisation_part(load_generator(generator), detector, settings, adam, commands)
    return replace(part, entries={"maximisation": {**part.entries["maximisation"], "training": training}})


def maximisation_part(
    generator: Generator,
    detector: TrainedDetector,
    settings: Mapping[str, MaximisationSettings],
    adam: AdamOptions = PAPER_ADAM,
    commands: tuple[str, ...] = (),
) -> Part:
    """Graphs `maximise`, `generate` and `griffin_lim`; ensemble `generated`.

    Args:
        generator: the prior.
        detector: whose units can be maximised.
        settings: of the directions `maximise` and `minimise`.
        adam: how the objective is increased.
        commands: that trained the generator and chose the settings.
    """
    return Part(
        (
            *maximise_graphs(generator, detector.standardise, detector.network, adam),
            griffin_lim_graph(detector.frontend.options),
        ),
        (GENERATED,),
        {"generated": {"z": torch.randn(2, LATENT, generator=torch.Generator().manual_seed(0))}},
        {"maximisation": {direction: asdict(chosen) for direction, chosen in settings.items()}},
        parameters={"generator": parameter_count(generator)},
        commands=commands,
    )


MAXIMISATION = Family(
    "the generator, and after it the searches for settings to maximise and minimise with", maximisation
)


def _table(search: Path) -> dict[str, Any]:
    try:
        table: dict[str, Any] = json.loads((search / TABLE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{search} holds no finished search: {error}") from error
    return table


def _best(table: Mapping[str, Any]) -> MaximisationSettings:
    best = table["settings"][0]
    return MaximisationSettings(best["steps"], best["lr"], best["prior_weight"])
