"""What units want to hear: the generator of a bundle, and the settings to maximise with (Mishra et al. 2019)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from phonoscope_trainer.errors import CheckpointError
from phonoscope_trainer.export.asked_alone import golden_griffin_lim, golden_maximise
from phonoscope_trainer.export.explanation import golden_excerpts
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
DIRECTIONS = ("maximise", "minimise")  # with the same settings: only then do examples of the two differ by their sign


@dataclass(frozen=True, slots=True)
class MaximisationSettings:
    """What a request that leaves them out is maximised with."""

    steps: int
    learning_rate: float
    prior_weight: float  # λ of Eq. 2


PUBLISHED = MaximisationSettings(100, 0.01, 0.001)  # least FID of what is maximised


def maximisation(runs: Sequence[Path], detector: TrainedDetector) -> Part:
    """A run of a generator, and searches for the settings of both directions: with either sign, with both, or none.

    Without a search the settings are the published ones.

    Raises:
        CheckpointError: a run cannot be used, or two searches have no setting in common.
    """
    generator, *searches = runs
    tables = [_table(search) for search in searches]
    settings = _best(tables) if tables else PUBLISHED
    training = {"iterations": checkpoint.load(generator)["step"], "published_iterations": GanOptions().iterations}
    adam = AdamOptions(beta1=tables[0]["options"]["beta1"]) if tables else PAPER_ADAM
    commands = tuple(each for run in runs for each in checkpoint.commands(run))
    part = maximisation_part(load_generator(generator), detector, settings, adam, commands)
    return replace(part, entries={"maximisation": {**part.entries["maximisation"], "training": training}})


def maximisation_part(
    generator: Generator,
    detector: TrainedDetector,
    settings: MaximisationSettings,
    adam: AdamOptions = PAPER_ADAM,
    commands: tuple[str, ...] = (),
) -> Part:
    """Graphs `maximise`, `generate` and `griffin_lim`; ensemble `generated`.

    Args:
        generator: the prior.
        detector: whose units can be maximised.
        settings: of both directions.
        adam: how the objective is increased.
        commands: that trained the generator and chose the settings.
    """
    maximise, generate = maximise_graphs(generator, detector.standardise, detector.network, adam)
    channels = next(spec.dims[0] for spec in maximise.inputs if spec.name == "weights")
    return Part(
        (maximise, generate, griffin_lim_graph(detector.frontend.options)),
        (GENERATED,),
        {
            "generated": {"z": torch.randn(2, LATENT, generator=torch.Generator().manual_seed(0))},
            "maximise": golden_maximise(channels),
            "griffin_lim": golden_griffin_lim(golden_excerpts(detector), detector.frontend),
        },
        {"maximisation": {direction: asdict(settings) for direction in DIRECTIONS}},
        parameters={"generator": parameter_count(generator)},
        commands=commands,
    )


MAXIMISATION = Family(
    "the generator, and after it searches for the settings to maximise and minimise with", maximisation
)


def _table(search: Path) -> dict[str, Any]:
    try:
        table: dict[str, Any] = json.loads((search / TABLE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{search} holds no finished search: {error}") from error
    return table


def _best(tables: Sequence[Mapping[str, Any]]) -> MaximisationSettings:
    """Of the settings that all searches tried, the one whose worst FID is least."""
    found = [
        {MaximisationSettings(row["steps"], row["lr"], row["prior_weight"]): row["fid"] for row in table["settings"]}
        for table in tables
    ]
    shared = [each for each in found[0] if all(each in fids for fids in found)]
    if not shared:
        raise CheckpointError("searches: no setting was tried in all of them; search the same grid")
    return min(shared, key=lambda each: max(fids[each] for fids in found))
