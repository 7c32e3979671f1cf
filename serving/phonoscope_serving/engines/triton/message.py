"""One call of a Triton server: its tensors there and back, the large ones through shared memory where there is some."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from tritonclient.grpc import InferInput, InferRequestedOutput, model_config_pb2
from tritonclient.utils import np_to_triton_dtype, triton_to_np_dtype

from phonoscope_serving.bundle.config import ModelConfig
from phonoscope_serving.engines.triton.shared_memory import Region
from phonoscope_serving.tensors import Array, Tensors


@dataclass(frozen=True)
class Message:
    """What is sent, and where the answer's tensors will be."""

    inputs: list[InferInput]
    outputs: list[InferRequestedOutput]
    region: Region | None
    offsets: dict[str, int]  # of the outputs that come through the region

    @classmethod
    def of(cls, config: ModelConfig, inputs: Tensors, outputs: Collection[str], region: Region | None) -> Message:
        """Fills the region, if there is one.

        Args:
            config: of the model that is called.
            inputs: every input by name.
            outputs: the outputs that are wanted.
            region: borrowed for this call; None sends everything over gRPC.
        """
        rows = next(iter(inputs.values())).shape[0] if config.max_batch_size else 1
        wanted = {name: InferRequestedOutput(name) for name in outputs}
        offsets = {}
        for name, size in _sizes(config, rows):
            if name in wanted and region is not None and (offset := region.take(size)) is not None:
                wanted[name].set_shared_memory(region.memory.name, size, offset)
                offsets[name] = offset
        given = [_input(name, np.ascontiguousarray(tensor), region) for name, tensor in inputs.items()]
        return cls(given, list(wanted.values()), region, offsets)

    def read(self, answer: Any) -> dict[str, Array]:  # noqa: ANN401 - tritonclient ships no types
        """Every wanted output by name; what lies in the region is copied, since it is another call's next."""
        outputs = {}
        for wanted in self.outputs:
            name = wanted.name()
            if self.region is None or name not in self.offsets:
                outputs[name] = answer.as_numpy(name)
            else:
                tensor = answer.get_output(name)
                dtype = np.dtype(triton_to_np_dtype(tensor.datatype))
                outputs[name] = self.region.view(dtype, tensor.shape, self.offsets[name]).copy()
        return outputs


def _input(name: str, tensor: Array, region: Region | None) -> InferInput:
    given = InferInput(name, tensor.shape, np_to_triton_dtype(tensor.dtype))
    offset = region.take(tensor.nbytes) if region else None
    if region is None or offset is None:
        given.set_data_from_numpy(tensor)
    else:
        region.view(tensor.dtype, tensor.shape, offset)[...] = tensor
        given.set_shared_memory(region.memory.name, tensor.nbytes, offset)
    return given


def _sizes(config: ModelConfig, rows: int) -> Iterator[tuple[str, int]]:
    """Bytes of every output whose size its config tells."""
    for output in config.output:
        if min(output.dims, default=1) > 0:
            data_type = model_config_pb2.DataType.Name(output.data_type).removeprefix("TYPE_")
            yield output.name, rows * math.prod(output.dims) * np.dtype(triton_to_np_dtype(data_type)).itemsize
