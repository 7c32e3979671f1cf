"""How a bundle is described: graphs, and ensembles that compose them, as data."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from torch import Tensor, nn

from phonoscope_trainer.frontends.mel import EXCERPT_FRAMES, FRONTEND

Type = Literal["float32", "int32"]
MAXIMUM_BATCH = 64
EXCERPT = (EXCERPT_FRAMES, FRONTEND.bands)
EXCERPT_SAMPLES = FRONTEND.samples_of(EXCERPT_FRAMES)


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output; `dims` leave out the batch axis, -1 varies."""

    name: str
    dims: tuple[int, ...]
    type: Type = "float32"


@dataclass(frozen=True, slots=True)
class Graph:
    """A module to be exported, with the contract's names for its inputs and outputs."""

    name: str
    module: nn.Module
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    example: tuple[Tensor, ...]  # values to trace with; two rows where batches are allowed
    maximum_batch: int = MAXIMUM_BATCH
    parameters: Mapping[str, str] = field(default_factory=dict)  # what serving must know
    iterations: int = 1  # of a module to be repeated inside the graph, at most; see `loop.repeated`


@dataclass(frozen=True, slots=True)
class Step:
    """One graph inside an ensemble: its tensors' names → the ensemble's."""

    graph: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Graphs composed: steps tied by tensor names."""

    name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    steps: tuple[Step, ...]
    maximum_batch: int = MAXIMUM_BATCH


def alone(graph: Graph) -> Ensemble:
    """One graph as an ensemble by its name, with all that it takes and makes."""
    names = same(*(spec.name for spec in graph.inputs)), same(*(spec.name for spec in graph.outputs))
    return Ensemble(graph.name, graph.inputs, graph.outputs, (Step(graph.name, *names),), graph.maximum_batch)


def part_of(ensemble: Ensemble, outputs: Collection[str]) -> Ensemble:
    """What some of an ensemble's outputs need of it: its steps, and its inputs."""
    needed, steps = set(outputs), []
    for step in reversed(ensemble.steps):
        if needed.intersection(step.outputs.values()):
            steps.append(step)
            needed.update(step.inputs.values())
    return replace(
        ensemble,
        inputs=tuple(spec for spec in ensemble.inputs if spec.name in needed),
        outputs=tuple(spec for spec in ensemble.outputs if spec.name in outputs),
        steps=tuple(reversed(steps)),
    )


def maps(*names: str) -> tuple[TensorSpec, ...]:
    """Time-frequency maps of one excerpt, `[115, 80]`."""
    return tuple(TensorSpec(name, EXCERPT) for name in names)


def numbers(*names: str) -> tuple[TensorSpec, ...]:
    """One number each."""
    return tuple(TensorSpec(name, (1,)) for name in names)


# Inputs that several graphs and ensembles share.
SILENCE = (TensorSpec("silence_before", (1,), "int32"), TensorSpec("silence_after", (1,), "int32"))
REGION = (
    *numbers("alpha", "maximum_area"),
    TensorSpec("masking", (1,), "int32"),
    TensorSpec("control_seed", (1,), "int32"),
)


def same(*names: str) -> dict[str, str]:
    """Tensors of a step that are called in the ensemble what they are called in the graph."""
    return {name: name for name in names}
