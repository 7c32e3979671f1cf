"""What a model takes and gives, read from its config once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from tritonclient.grpc import model_config_pb2
from tritonclient.utils import triton_to_np_dtype

from phonoscope_serving.bundle.config import ModelConfig
from phonoscope_serving.errors import EngineFailed
from phonoscope_serving.tensors import Tensors


@dataclass(frozen=True)
class Signature:
    """The inputs and outputs of one model."""

    model: str
    max_rows: int  # 0: no batch axis
    inputs: Mapping[str, tuple[np.dtype[np.generic], tuple[int, ...]]]  # name → type and shape of a row
    outputs: tuple[str, ...]

    @classmethod
    def of(cls, config: ModelConfig) -> Signature:
        """The signature a `config.pbtxt` gives."""
        inputs = {tensor.name: (_numpy_dtype(tensor), tuple(tensor.dims)) for tensor in config.input}
        return cls(config.name, config.max_batch_size, inputs, tuple(tensor.name for tensor in config.output))

    def wanted(self, outputs: Collection[str] | None) -> tuple[str, ...]:
        """The outputs that are asked for, in the model's own order; None asks for all.

        Raises:
            EngineFailed: the model has no such output.
        """
        if outputs is None:
            return self.outputs
        if unknown := set(outputs).difference(self.outputs):
            raise EngineFailed(f"{self.model}: there is no output {', '.join(sorted(unknown))}")
        return tuple(name for name in self.outputs if name in outputs)

    def check(self, given: Tensors) -> None:
        """Refuses what does not fit, before it can spoil a batch it would have joined.

        Raises:
            EngineFailed: a tensor is missing, unknown, or of the wrong type, shape or number of rows.
        """
        if given.keys() != self.inputs.keys():
            raise EngineFailed(f"{self.model}: inputs are {sorted(self.inputs)}, not {sorted(given)}")
        for name, (dtype, dims) in self.inputs.items():
            array = given[name]
            if array.dtype != dtype:
                raise EngineFailed(f"{self.model}: input {name} is {array.dtype}, not {dtype}")
            shape = array.shape[1:] if self.max_rows else array.shape
            if len(shape) != len(dims) or any(d not in (-1, n) for n, d in zip(shape, dims, strict=True)):
                raise EngineFailed(f"{self.model}: input {name} has shape {list(shape)}, not {list(dims)}")
        rows = {array.shape[0] for array in given.values()} if self.max_rows else {0}
        if len(rows) != 1 or max(rows) > self.max_rows or (self.max_rows and 0 in rows):
            raise EngineFailed(f"{self.model}: rows must be equal and 1 to {self.max_rows}, not {sorted(rows)}")


def _numpy_dtype(tensor: ModelConfig) -> np.dtype[np.generic]:
    name = model_config_pb2.DataType.Name(tensor.data_type).removeprefix("TYPE_")
    dtype: np.dtype[np.generic] = np.dtype(triton_to_np_dtype(name))
    return dtype
