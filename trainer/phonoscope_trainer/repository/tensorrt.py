"""TensorRT: which graphs it takes, and what it must be told of their shapes."""

from __future__ import annotations

from typing import Literal

import onnx

from phonoscope_trainer.repository.models import ModelConfig

Precision = Literal["FP32", "FP16"]
NO_KERNEL = {"DFT", "MaxUnpool", "MelWeightMatrix", "STFT"}
SHORT_NUMBERS = {onnx.TensorProto.UINT8, onnx.TensorProto.INT16}
# Operator → the first of its inputs whose values, not whose shape, decide the shape of what it makes.
SHAPE_OPERAND = {"ConstantOfShape": 0, "Expand": 1, "Pad": 1, "Range": 0, "Reshape": 1, "Slice": 1, "Tile": 1}


def reason_against(model: onnx.ModelProto) -> str:
    """Why TensorRT cannot run a graph; empty where it can."""
    if any(constant.data_type == onnx.TensorProto.DOUBLE for constant in model.graph.initializer):
        return "it has no float64, which the sums need"
    if any(constant.data_type in SHORT_NUMBERS for constant in model.graph.initializer):
        return "it has no whole numbers of 8 and 16 bits, as which other music is kept"
    deciding = {tensor.name: tensor.name for tensor in model.graph.input}  # tensor → the input its values come from
    for node in model.graph.node:
        if reason := _against_operator(node):
            return reason
        for position, tensor in enumerate(node.input):
            if tensor in deciding and position >= SHAPE_OPERAND.get(node.op_type, len(node.input)):
                return f"the value of {deciding[tensor]} decides a shape, and a profile bounds shapes alone"
        sources = [deciding[tensor] for tensor in node.input if tensor in deciding]
        if sources and node.op_type != "Shape":
            deciding |= dict.fromkeys(node.output, sources[0])
    for given in model.graph.input:
        if any(axis.dim_param for axis in given.type.tensor_type.shape.dim[1:]):
            return f"{given.name} has a free axis, whose range a profile would have to know"
    return ""


def _against_operator(node: onnx.NodeProto) -> str:
    if node.op_type in NO_KERNEL:
        return f"it has no {node.op_type}"
    if node.op_type == "MaxPool" and len(node.output) > 1:
        return "its MaxPool gives no indices"
    return "the values in its loop decide when that ends" if node.op_type == "Loop" else ""


def accelerate(config: ModelConfig, precision: Precision, cache: str, usual_rows: int) -> None:
    """Have TensorRT run a graph, for every shape the graph is asked for.

    Without profiles each new shape would build the engine again, without caches each start: tens of seconds.

    Args:
        config: the graph's configuration, added to.
        precision: of its arithmetic.
        cache: folder on the server; the graph gets one below it.
        usual_rows: the batch size to be fastest at.
    """
    accelerator = config.optimization.execution_accelerators.gpu_execution_accelerator.add(name="tensorrt")
    accelerator.parameters["precision_mode"] = precision
    accelerator.parameters["trt_engine_cache_enable"] = "true"
    accelerator.parameters["trt_engine_cache_path"] = f"{cache}/{config.name}"
    accelerator.parameters["trt_timing_cache_enable"] = "true"
    usual = min(usual_rows, config.max_batch_size)
    for bound, rows in (("min", 1), ("opt", usual), ("max", config.max_batch_size)):
        shapes = (f"{tensor.name}:{'x'.join(map(str, (rows, *tensor.dims)))}" for tensor in config.input)
        accelerator.parameters[f"trt_profile_{bound}_shapes"] = ",".join(shapes)
