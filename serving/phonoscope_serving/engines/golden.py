"""The bundle's golden vectors as a proof: whoever computes other numbers than the trainer did must not serve."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.engines.ensemble import is_ensemble
from phonoscope_serving.errors import BundleError
from phonoscope_serving.tensors import Array, Tensors

# All far above rounding on any device, far below a wrong graph. Of the bins of a map some may be quite others: a last
# bit decides whether one as relevant as alpha lies inside the region.
OFF_NUMBER = 0.01  # of a probability, or of an error, which is about as large
OFF_SPREAD, OFF_SIZE = 0.05, 0.01  # of a map: of its mean distance from its mean, and of its mean magnitude
PREDICT = "predict"
LEAST_MAP = 100  # values; fewer are numbers


@dataclass(frozen=True)
class Proof:
    """Golden inputs of one ensemble, and what the trainer made of them."""

    ensemble: str
    inputs: Tensors
    made: Mapping[str, Array]  # every output

    def check(self, outputs: Tensors) -> None:
        """Compares what an engine made of the inputs.

        Raises:
            BundleError: it is something else.
        """
        for name, golden in self.made.items():
            made = outputs[name]
            if made.shape != golden.shape:
                raise BundleError(f"{self.ensemble}: {name} has shape {list(made.shape)}, not {list(golden.shape)}")
            off, may_be = _off(made, golden)
            if not off <= may_be:  # so written, NaN is found too
                raise BundleError(f"{self.ensemble}: {name} is {off:g} off the golden one; it may be {may_be:.2g}")


def _off(made: Array, golden: Array) -> tuple[float, float]:
    """How far numbers are from the golden ones, and how far they may be."""
    golden = np.asarray(golden, np.float64)
    off = np.abs(np.asarray(made, np.float64) - golden)
    if golden.size < LEAST_MAP:
        return float(off.max(initial=0.0)), OFF_NUMBER * max(1.0, float(np.abs(golden).max(initial=0.0)))
    spread, size = float(np.abs(golden - golden.mean()).mean()), float(np.abs(golden).mean())
    return float(off.mean()), OFF_SPREAD * spread + OFF_SIZE * size


def proofs(bundle: Bundle) -> Iterator[Proof]:
    """One proof for each ensemble or graph with golden vectors.

    Raises:
        BundleError: there are none of what predicts, or of a rule that explains, or they are not those of a model.
    """
    golden = bundle.golden()
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
        yield Proof(model, inputs, outputs)


def unproven(bundle: Bundle) -> list[str]:
    """Graphs whose numbers no golden vector proves."""
    proven: set[str] = set()
    coming = [proof.ensemble for proof in proofs(bundle)]
    while coming:
        model = coming.pop()
        proven.add(model)
        coming += [step.model_name for step in bundle.models[model].ensemble_scheduling.step]
    return sorted(name for name, config in bundle.models.items() if not is_ensemble(config) and name not in proven)
