"""The bundle's golden vectors as a proof: whoever computes other numbers than the trainer did must not serve."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.bundle.layers import error_output
from phonoscope_serving.errors import BundleError
from phonoscope_serving.tensors import Floats, Tensors

# Of a probability, or of an inversion's error, which is about as large: far above rounding on any device, far below a
# wrong graph.
GOLDEN_TOLERANCE = 0.01
PROBABILITIES = ("probability", "heard_probability")


@dataclass(frozen=True)
class Proof:
    """Golden inputs of one ensemble, and what the trainer found in them."""

    ensemble: str
    inputs: Tensors
    found: Mapping[str, Floats]  # probabilities, and how well each layer was inverted

    def check(self, outputs: Tensors) -> None:
        """Compares what an engine made of the inputs.

        Raises:
            BundleError: its numbers are others than the trainer's.
        """
        for name, golden in self.found.items():
            worst = float(np.abs(outputs[name] - golden).max())
            if not worst <= GOLDEN_TOLERANCE:
                raise BundleError(f"{self.ensemble}: {name} is {worst:g} off the golden one")


def proofs(bundle: Bundle) -> Iterator[Proof]:
    """One proof for each ensemble with golden vectors."""
    golden = bundle.golden()
    for ensemble in sorted({name.partition(".")[0] for name in golden}):
        inputs = {n.split(".")[2]: tensor for n, tensor in golden.items() if n.startswith(f"{ensemble}.input.")}
        names = (*PROBABILITIES, *(error_output(layer) for layer in bundle.inversion_error_quantiles))
        found = {name: golden[f"{ensemble}.output.{name}"] for name in names if f"{ensemble}.output.{name}" in golden}
        yield Proof(ensemble, inputs, found)
