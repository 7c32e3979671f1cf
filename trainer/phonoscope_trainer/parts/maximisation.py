"""What units want to hear: the generator of a bundle, and the settings to climb with (Mishra et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from phonoscope_trainer.graphs.griffin_lim import griffin_lim_graph
from phonoscope_trainer.graphs.maximise import PAPER_ADAM, AdamOptions, maximise_graphs
from phonoscope_trainer.networks.gan import Generator
from phonoscope_trainer.networks.inverter import parameter_count
from phonoscope_trainer.parts.part import Part, TrainedDetector


@dataclass(frozen=True, slots=True)
class AscentSettings:
    """What a request that leaves them out climbs with."""

    steps: int
    learning_rate: float
    prior_weight: float  # λ of Eq. 2


PUBLISHED = {"maximise": AscentSettings(100, 0.01, 0.001), "minimise": AscentSettings(1000, 0.001, 0.1)}  # the best FID


def maximisation_part(
    generator: Generator,
    detector: TrainedDetector,
    settings: Mapping[str, AscentSettings],
    adam: AdamOptions = PAPER_ADAM,
    commands: tuple[str, ...] = (),
) -> Part:
    """Graphs `maximise`, `maximise_features`, `generate` and `griffin_lim`.

    Args:
        generator: the prior.
        detector: whose units can be maximised.
        settings: of the directions `maximise` and `minimise`.
        adam: how the objective is climbed.
        commands: that trained the generator and chose the settings.
    """
    return Part(
        (
            *maximise_graphs(generator, detector.standardise, detector.network, adam),
            griffin_lim_graph(detector.frontend.options),
        ),
        entries={"maximisation": {direction: asdict(chosen) for direction, chosen in settings.items()}},
        parameters={"generator": parameter_count(generator)},
        commands=commands,
    )
