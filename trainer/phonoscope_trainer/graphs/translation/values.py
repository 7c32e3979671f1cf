"""What flows along an ONNX graph: tensors, and the sizes of tensors, which a trace must not turn into numbers.

Shapes are computed in ONNX by ordinary operators on ordinary tensors. Here a small tensor of whole numbers is a list of
them, or one, so that the size of a free axis stays what it is: free.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

MOST_SIZES = 64  # numbers of a tensor that may be sizes

Size = int  # or a torch.SymInt, which behaves as one
Value = Tensor | Size | list[Size] | None  # None: an input that is left out


class UntranslatableError(Exception):
    """What a graph holds that is not translated; the message says it."""


@dataclass(frozen=True, slots=True)
class Operator:
    """A node of the graph, but for what flows through it."""

    kind: str
    attributes: Mapping[str, Any]
    outputs: int

    def number(self, name: str, otherwise: float) -> float:
        """An attribute."""
        return float(self.attributes.get(name, otherwise))

    def whole(self, name: str, otherwise: int) -> int:
        """An attribute."""
        return int(self.attributes.get(name, otherwise))

    def several(self, name: str, otherwise: Sequence[int] = ()) -> list[int]:
        """An attribute."""
        return [int(each) for each in self.attributes.get(name, otherwise)]

    def word(self, name: str, otherwise: str) -> str:
        """An attribute."""
        found = self.attributes.get(name, otherwise)
        return found.decode() if isinstance(found, bytes) else str(found)


def held(array: NDArray[np.generic]) -> Tensor | Size | list[Size]:
    """A constant as a value: whole numbers that may be sizes are."""
    if array.dtype.kind == "i" and array.ndim <= 1 and array.size <= MOST_SIZES:
        return cast("Size | list[Size]", array.tolist())
    return torch.from_numpy(np.array(array))


def is_size(value: Value) -> bool:
    """Whether a value is a size or several."""
    return value is not None and not isinstance(value, Tensor)


def tensor(value: Value) -> Tensor:
    """A value as a tensor.

    Raises:
        UntranslatableError: it is the size of a free axis.
    """
    if isinstance(value, Tensor):
        return value
    if value is None:
        raise UntranslatableError("an input is missing")
    if any(isinstance(each, torch.SymInt) for each in (value if isinstance(value, list) else [value])):
        raise UntranslatableError("it computes with the number of excerpts")
    return torch.tensor(value, dtype=torch.int64)


def sizes(value: Value) -> list[Size]:
    """A value as sizes.

    Raises:
        UntranslatableError: it depends on what the network is given.
    """
    if isinstance(value, list):
        return value
    if isinstance(value, Tensor) or value is None:
        raise UntranslatableError("a shape depends on numbers that are computed")
    return [value]


def size(value: Value) -> Size:
    """A value as one size."""
    return sizes(value)[0]


def optional_sizes(inputs: Sequence[Value], place: int) -> list[Size] | None:
    """An input of sizes that may be left out."""
    return sizes(inputs[place]) if len(inputs) > place and inputs[place] is not None else None
