"""A part of a bundle, and what every part is built and measured with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.frontends.mel import Frontend
from phonoscope_trainer.graphs.description import Ensemble, Graph
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.repository.manifest import TrainingData


@dataclass(frozen=True, slots=True)
class Part:
    """What one family of networks brings to a bundle."""

    graphs: tuple[Graph, ...]
    ensembles: tuple[Ensemble, ...] = ()
    golden: Mapping[str, Mapping[str, Tensor]] = field(default_factory=dict)  # ensemble or lone graph → golden inputs
    entries: Mapping[str, Any] = field(default_factory=dict)  # of the manifest: what serving must know
    parameters: Mapping[str, int] = field(default_factory=dict)  # network → parameter count
    commands: tuple[str, ...] = ()  # that repeat the training
    training_data: tuple[TrainingData, ...] = ()  # beside the detector's corpora

    def with_further(self, other: Part) -> Part:
        """This part and another as one."""
        return Part(
            (*self.graphs, *other.graphs),
            (*self.ensembles, *other.ensembles),
            {**self.golden, **other.golden},
            {**self.entries, **other.entries},
            {**self.parameters, **other.parameters},
            (*self.commands, *other.commands),
            (*self.training_data, *other.training_data),
        )


@dataclass(frozen=True, slots=True)
class TrainedDetector:
    """The detector that a bundle explains, and the music on which its other networks are measured."""

    frontend: Frontend
    standardise: Standardise
    network: SVDNet  # in evaluation mode
    threshold: float  # a probability at or above it is called `vocal`
    valid: Sequence[Sequence[Features]]  # tracks of the valid splits, one sequence a corpus
    golden: Tensor  # `[N]` a few seconds of sound, mono at the front-end's rate: golden vectors are made from it


@dataclass(frozen=True, slots=True)
class Family:
    """An optional part: how it is made from the runs that trained its networks."""

    meaning: str  # for `--help`
    build: Callable[[Sequence[Path], TrainedDetector], Part]


def quantiles(values: Sequence[float]) -> tuple[float, ...]:
    """0 %, 1 % … 100 % quantiles: a distribution as manifests hold it."""
    return tuple(float(q) for q in np.quantile(values, np.linspace(0, 1, 101)))
