"""An ensemble's plan: its steps in an order in which every tensor exists before it is used.

The checks are those a Triton server makes when it loads the same `config.pbtxt`, so a repository that one engine takes
the other takes too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter

from phonoscope_serving.bundle.config import ModelConfig
from phonoscope_serving.errors import BundleError


@dataclass(frozen=True)
class Step:
    """One call of one model; tensors are named on both sides."""

    model: str
    inputs: Mapping[str, str]  # the model's tensor → the ensemble's tensor
    outputs: Mapping[str, str]  # likewise; outputs that are not named are not computed

    def asks_as(self, other: Step) -> bool:
        """Whether both ask the same model for the same outputs."""
        return (
            self.model == other.model
            and self.inputs.keys() == other.inputs.keys()
            and self.outputs.keys() == other.outputs.keys()
        )


@dataclass(frozen=True)
class Plan:
    """The steps of one ensemble in the order they are run."""

    steps: tuple[Step, ...]
    outputs: tuple[str, ...]  # the ensemble's outputs

    def of(self, outputs: tuple[str, ...]) -> Plan:
        """The part of the plan that some of its outputs need, as a Triton server prunes it too."""
        needed, steps = set(outputs), []
        for step in reversed(self.steps):
            if made := {name: tensor for name, tensor in step.outputs.items() if tensor in needed}:
                steps.append(replace(step, outputs=made))
                needed.update(step.inputs.values())
        return Plan(tuple(reversed(steps)), outputs)

    @property
    def turns(self) -> tuple[tuple[Step, ...], ...]:
        """The steps, those together that ask one model the same of other tensors, and need nothing of each other.

        They may be run as one batch: a network takes less time for two rows than for a row twice.
        """
        turns: list[list[Step]] = []
        made_in: dict[str, int] = {}  # tensor → the turn that makes it
        for step in self.steps:
            earliest = 1 + max((made_in.get(tensor, -1) for tensor in step.inputs.values()), default=-1)
            joined = (turn for turn in range(earliest, len(turns)) if step.asks_as(turns[turn][0]))
            turn = next(joined, len(turns))
            if turn == len(turns):
                turns.append([])
            turns[turn].append(step)
            made_in |= dict.fromkeys(step.outputs.values(), turn)
        return tuple(tuple(turn) for turn in turns)

    def asked_of_triton(self, outputs: tuple[str, ...]) -> tuple[str, ...]:
        """What to ask a Triton server for, so that it makes some outputs and as little else as it can be brought to.

        It prunes by counting what nobody asked for. An output that steps use as well is counted wrongly if it is not
        asked for, or if none of these steps is left: the server then waits for a step it has pruned (2.51, tried).
        """
        shared = self._used.intersection(self.outputs)
        if not shared <= self.of(outputs)._used:
            return self.outputs
        return tuple(name for name in self.outputs if name in outputs or name in shared)

    @property
    def _used(self) -> set[str]:
        return {tensor for step in self.steps for tensor in step.inputs.values()}


@dataclass(frozen=True)
class _Tensor:
    """Type and full shape, batch axis included."""

    data_type: int
    shape: tuple[int, ...]

    def fits(self, other: _Tensor) -> bool:
        same_rank = len(self.shape) == len(other.shape)
        return (
            self.data_type == other.data_type
            and same_rank
            and all(-1 in pair or pair[0] == pair[1] for pair in zip(self.shape, other.shape, strict=True))
        )


def is_ensemble(config: ModelConfig) -> bool:
    """Whether a model is composed of others."""
    return bool(config.platform == "ensemble" or config.HasField("ensemble_scheduling"))


def load_order(models: Mapping[str, ModelConfig]) -> tuple[str, ...]:
    """Every model after those it is composed of.

    Raises:
        BundleError: an ensemble names a model that does not exist, or contains itself.
    """
    for name, config in models.items():
        for step in config.ensemble_scheduling.step:
            if step.model_name not in models:
                raise BundleError(f"ensemble {name}: there is no model {step.model_name}")
    parts = {name: {s.model_name for s in config.ensemble_scheduling.step} for name, config in models.items()}
    try:
        return tuple(TopologicalSorter(parts).static_order())
    except CycleError as error:
        raise BundleError(f"ensembles contain each other: {' → '.join(error.args[1])}") from error


def plan(config: ModelConfig, models: Mapping[str, ModelConfig]) -> Plan:
    """Orders and checks the steps of one ensemble.

    Args:
        config: the ensemble.
        models: every model of the repository by name.

    Raises:
        BundleError: a step names an unknown model or tensor or leaves an input open, a tensor is made twice, never, or
            from itself, or types or shapes do not fit; the message names ensemble, step and tensor.
    """
    steps = [
        Step(s.model_name, dict(sorted(s.input_map.items())), dict(sorted(s.output_map.items())))
        for s in config.ensemble_scheduling.step
    ]
    if not steps:
        raise BundleError(f"ensemble {config.name}: it has no steps")
    for step in steps:
        _check_names(config, step, models)
    producers = _producers(config, steps)
    _check_tensors(config, steps, models)
    order = _order(config, steps, producers)
    return Plan(tuple(steps[i] for i in order), tuple(output.name for output in config.output))


def _check_names(config: ModelConfig, step: Step, models: Mapping[str, ModelConfig]) -> None:
    where = f"ensemble {config.name}, step {step.model}"
    if step.model not in models:
        raise BundleError(f"ensemble {config.name}: there is no model {step.model}")
    model = models[step.model]
    required = {i.name for i in model.input if not i.optional}
    _refuse(where, "input_map names no such input:", step.inputs.keys() - {i.name for i in model.input})
    _refuse(where, "output_map names no such output:", step.outputs.keys() - {o.name for o in model.output})
    _refuse(where, "input_map leaves open:", required - step.inputs.keys())
    if not step.outputs:
        raise BundleError(f"{where}: output_map is empty")
    if 0 < model.max_batch_size < config.max_batch_size:
        raise BundleError(
            f"{where}: max_batch_size is {config.max_batch_size}, but the step takes at most {model.max_batch_size}"
        )


def _refuse(where: str, what: str, names: Iterable[str]) -> None:
    if listed := sorted(names):
        raise BundleError(f"{where}: {what} {', '.join(listed)}")


def _producers(config: ModelConfig, steps: list[Step]) -> dict[str, int | None]:
    """Which step makes each tensor; None for the ensemble's own inputs."""
    producers: dict[str, int | None] = {i.name: None for i in config.input}
    for index, step in enumerate(steps):
        for tensor in step.outputs.values():
            if tensor in producers:
                raise BundleError(f"ensemble {config.name}: tensor {tensor} is made twice")
            producers[tensor] = index
    where = f"ensemble {config.name}"
    used = {tensor for step in steps for tensor in step.inputs.values()}
    _refuse(where, "used but never made:", used - producers.keys())
    outputs = {o.name for o in config.output}
    _refuse(where, "outputs that are never made:", outputs - producers.keys())
    _refuse(where, "inputs that are never used:", {i.name for i in config.input} - used - outputs)
    return producers


def _order(config: ModelConfig, steps: list[Step], producers: Mapping[str, int | None]) -> tuple[int, ...]:
    needs = {
        index: {maker for tensor in step.inputs.values() if (maker := producers[tensor]) is not None}
        for index, step in enumerate(steps)
    }
    try:
        return tuple(TopologicalSorter(needs).static_order())
    except CycleError as error:
        names = " → ".join(steps[index].model for index in error.args[1])
        raise BundleError(f"ensemble {config.name}: steps wait for each other: {names}") from error


def _check_tensors(config: ModelConfig, steps: list[Step], models: Mapping[str, ModelConfig]) -> None:
    known = _tensors(config, config.input)
    for step in steps:
        made = _tensors(models[step.model], models[step.model].output)
        known |= {tensor: made[name] for name, tensor in step.outputs.items()}
    for step in steps:
        taken = _tensors(models[step.model], models[step.model].input)
        for name, tensor in step.inputs.items():
            if not known[tensor].fits(taken[name]):
                raise BundleError(
                    f"ensemble {config.name}, step {step.model}: tensor {tensor} does not fit input {name} "
                    f"({_describe(known[tensor])} for {_describe(taken[name])})"
                )
    for name, promised in _tensors(config, config.output).items():
        if not known[name].fits(promised):
            raise BundleError(
                f"ensemble {config.name}: output {name} is {_describe(known[name])}, not {_describe(promised)}"
            )


def _tensors(config: ModelConfig, tensors: Iterable[ModelConfig]) -> dict[str, _Tensor]:
    batch = (-1,) if config.max_batch_size > 0 else ()
    return {t.name: _Tensor(t.data_type, (*batch, *t.dims)) for t in tensors}


def _describe(tensor: _Tensor) -> str:
    return f"type {tensor.data_type} {list(tensor.shape)}"
