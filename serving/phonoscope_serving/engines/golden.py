"""The bundle's golden vectors as a proof: whoever computes other probabilities than the trainer did must not serve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from phonoscope_serving.bundle import Bundle
from phonoscope_serving.engines.engine import Floats, Tensors
from phonoscope_serving.errors import BundleError

GOLDEN_TOLERANCE = 0.01  # of a probability: far above rounding on any device, far below a wrong graph


@dataclass(frozen=True)
class Proof:
    """Golden inputs of one ensemble and the probabilities the trainer heard in them."""

    ensemble: str
    inputs: Tensors
    probability: Floats

    def check(self, outputs: Tensors) -> None:
        """Compares what an engine made of the inputs.

        Raises:
            BundleError: its probabilities are others than the trainer's.
        """
        worst = float(np.abs(outputs["probability"] - self.probability).max())
        if not worst <= GOLDEN_TOLERANCE:
            raise BundleError(f"{self.ensemble}: probabilities are {worst:g} off the golden ones")


def proofs(bundle: Bundle) -> Iterator[Proof]:
    """One proof for each ensemble with golden vectors."""
    golden = bundle.golden()
    for ensemble in sorted({name.partition(".")[0] for name in golden}):
        inputs = {n.split(".")[2]: tensor for n, tensor in golden.items() if n.startswith(f"{ensemble}.input.")}
        yield Proof(ensemble, inputs, golden[f"{ensemble}.output.probability"])
