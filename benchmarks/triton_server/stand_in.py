"""Stands in for Triton's onnxruntime backend: runs the `model.onnx` beside it on the CPU.

Any model, any batch: what it takes and gives is read from the graph. Runs inside Triton's Python backend.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    """One instance of one model."""

    def initialize(self, arguments: dict[str, str]) -> None:
        """Loads the graph of the version that is being loaded."""
        graph = Path(arguments["model_repository"]) / arguments["model_version"] / "model.onnx"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # forty of these share a machine: what a large batch took is given back
        self.session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        self.inputs = [tensor.name for tensor in self.session.get_inputs()]
        self.outputs = [tensor.name for tensor in self.session.get_outputs()]

    def execute(self, requests: list[Any]) -> list[Any]:
        """Joins the requests Triton batched, which the Python backend leaves to its models, runs once, splits."""
        given = {
            name: [pb_utils.get_input_tensor_by_name(request, name).as_numpy() for request in requests]
            for name in self.inputs
        }
        rows = [len(tensor) for tensor in given[self.inputs[0]]]
        made = self.session.run(self.outputs, {name: np.concatenate(tensors) for name, tensors in given.items()})
        parts = [np.split(tensor, np.cumsum(rows)[:-1]) for tensor in made]
        return [
            pb_utils.InferenceResponse(
                [
                    pb_utils.Tensor(name, np.ascontiguousarray(part[index]))
                    for name, part in zip(self.outputs, parts, strict=True)
                    if name in request.requested_output_names()
                ]
            )
            for index, request in enumerate(requests)
        ]
