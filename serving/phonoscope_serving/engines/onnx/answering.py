"""A network's graph without its layers, for what asks it for nothing but its answer.

ONNX Runtime makes every output of a graph, whichever are fetched, and takes each layer out of the order in which its
convolutions hold it: a ninth of what a detector's row costs alone, and most of what is asked of it are trials.
"""

from __future__ import annotations

from typing import Any

from phonoscope_serving.bundle.config import ModelConfig
from phonoscope_serving.bundle.graphs.onnx_fields import OnnxModel

ANSWER = "probability"
LAYERS = "layers"  # the parameter of a model that has them as outputs


def shows_layers(config: ModelConfig) -> bool:
    """Whether a model has outputs beside its answer that cost something each time it is asked."""
    return LAYERS in config.parameters and ANSWER in {tensor.name for tensor in config.output}


def answer_alone(graph: bytes) -> bytes:
    """An ONNX model with `ANSWER` for its only output; what nothing hangs on any more is dropped as it is loaded."""
    model: Any = OnnxModel()
    model.ParseFromString(graph)
    outputs = model.graph.output
    for index in reversed(range(len(outputs))):
        if outputs[index].name != ANSWER:
            del outputs[index]
    return bytes(model.SerializeToString())
