"""A graph that is ONNX already: somebody else's, or one put together of several."""

from __future__ import annotations

import onnx
import onnxruntime
import torch
from torch import Tensor, nn


class ReadyMade(nn.Module):
    """An ONNX model where a module is expected; it is run by ONNX Runtime on the CPU, and written as it is."""

    def __init__(self, model: onnx.ModelProto, threads: int = 0) -> None:
        """Of a model whose inputs and outputs are the contract's, on so many threads; 0: on every core."""
        super().__init__()
        self.model = model
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def forward(self, *inputs: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Its outputs, in order; one by itself."""
        names = [each.name for each in self._session.get_inputs()]
        values = self._session.run(None, {n: v.detach().cpu().numpy() for n, v in zip(names, inputs, strict=True)})
        found = tuple(torch.from_numpy(each) for each in values)
        return found[0] if len(found) == 1 else found
