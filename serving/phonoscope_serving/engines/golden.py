"""The bundle's golden vectors as a proof: whoever computes other numbers than the trainer did must not serve."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.bundle.config import ModelConfig
from phonoscope_serving.bundle.precision import Tolerance, tolerance
from phonoscope_serving.engines.ensemble import is_ensemble
from phonoscope_serving.errors import BundleError
from phonoscope_serving.tensors import Array, Tensors

PREDICT = "predict"
LEAST_MAP = 100  # values; fewer are numbers


@dataclass(frozen=True)
class Proof:
    """Golden inputs of one ensemble, and what the trainer made of them."""

    ensemble: str
    inputs: Tensors
    made: Mapping[str, Array]  # every output
    makers: Mapping[str, str]  # output → the graph that makes it, where it is an ensemble's
    tolerance: Tolerance

    def check(self, outputs: Tensors) -> None:
        """Compares what an engine made of the inputs.

        Raises:
            BundleError: it is something else.
        """
        for name, golden in self.made.items():
            if difference := difference_of(outputs[name], golden, self.tolerance):
                maker = f"; {self.makers[name]} makes it" if name in self.makers else ""
                raise BundleError(f"{self.ensemble}: {name} {difference}{maker}")


def difference_of(made: Array, golden: Array, tolerance: Tolerance) -> str:
    """How numbers differ from the golden ones by more than they may; empty where they do not."""
    if made.shape != golden.shape:
        return f"has shape {list(made.shape)}, not {list(golden.shape)}"
    off, may_be = _off(made, golden, tolerance)
    # So written, NaN is found too.
    return "" if off <= may_be else f"is {off:g} off the golden one; it may be {may_be:.2g}"


def _off(made: Array, golden: Array, tolerance: Tolerance) -> tuple[float, float]:
    """How far numbers are from the golden ones, and how far they may be."""
    golden = np.asarray(golden, np.float64)
    off = np.abs(np.asarray(made, np.float64) - golden)
    if golden.size < LEAST_MAP:
        return float(off.max(initial=0.0)), tolerance.number * max(1.0, float(np.abs(golden).max(initial=0.0)))
    spread, size = float(np.abs(golden - golden.mean()).mean()), float(np.abs(golden).mean())
    return float(off.mean()), tolerance.spread * spread + tolerance.size * size


def proofs(bundle: Bundle) -> Iterator[Proof]:
    """One proof for each ensemble or graph with golden vectors, in float32.

    Raises:
        BundleError: there are none of what predicts, or of a rule that explains, or they are not those of a model.
    """
    golden, allowed = bundle.golden(), tolerance(bundle, "float32")
    rules = [rule.ensemble for listener in bundle.listeners for rule in listener.rules]
    for ensemble in (*(listener.model(PREDICT) for listener in bundle.listeners), *rules):
        if not any(name.startswith(f"{ensemble}.output.") for name in golden):
            raise BundleError(f"{bundle.root}: there are no golden vectors of {ensemble}")
    for model in sorted({name.partition(".")[0] for name in golden}):
        if model not in bundle.models:
            raise BundleError(f"{bundle.root}: there are golden vectors of {model}, and no such model")
        inputs, outputs = (
            {name.removeprefix(prefix): tensor for name, tensor in golden.items() if name.startswith(prefix)}
            for prefix in (f"{model}.input.", f"{model}.output.")
        )
        known = {tensor.name for tensor in bundle.models[model].output}
        if inputs.keys() != {tensor.name for tensor in bundle.models[model].input} or not outputs.keys() <= known:
            raise BundleError(f"{bundle.root}: the golden vectors of {model} do not have the names of its tensors")
        yield Proof(model, inputs, outputs, _makers(bundle.models[model]), allowed)


def _makers(config: ModelConfig) -> dict[str, str]:
    """Which step of an ensemble makes each tensor."""
    steps = config.ensemble_scheduling.step
    return {tensor: step.model_name for step in steps for tensor in step.output_map.values()}


def proofs_of(bundle: Bundle, model: str, proven: Collection[str]) -> tuple[Proof, ...]:
    """What proves one model: its own golden vectors, else such of others that all its graphs are in one of them.

    Args:
        bundle: which it is of.
        model: its name.
        proven: graphs that need no proof any more.

    Raises:
        BundleError: see `proofs`.
    """
    there = {proof.ensemble: proof for proof in proofs(bundle)}
    if model in there:
        return (there[model],)
    chosen, missing = [], graphs_of(bundle, model) - set(proven)
    while missing:
        of = {name: graphs_of(bundle, name) for name in there}
        useful = [name for name, graphs in of.items() if graphs & missing]
        if not useful:
            break  # as at the start, where such graphs are told
        # The one that proves the most, and has the fewest others loaded.
        best = min(useful, key=lambda name: (-len(of[name] & missing), len(of[name] - missing - set(proven)), name))
        chosen.append(there[best])
        missing -= of[best]
    return tuple(chosen)


def graphs_of(bundle: Bundle, model: str) -> set[str]:
    """The graphs that a model is composed of; itself, where it is one."""
    graphs, coming = set(), [model]
    while coming:
        name = coming.pop()
        config = bundle.models[name]
        if is_ensemble(config):
            coming += [step.model_name for step in config.ensemble_scheduling.step]
        else:
            graphs.add(name)
    return graphs


def unproven(bundle: Bundle) -> list[str]:
    """Graphs whose numbers no golden vector proves."""
    proven = set().union(*(graphs_of(bundle, proof.ensemble) for proof in proofs(bundle)))
    return sorted(name for name, config in bundle.models.items() if not is_ensemble(config) and name not in proven)
