"""A network's graph without its layers, for what asks it for nothing but its answer.

ONNX Runtime makes every output of a graph, whichever are fetched, and takes each layer out of the order in which its
convolutions hold it: a ninth of what a detector's row costs alone, and most of what is asked of it are trials.
"""

from __future__ import annotations

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

from phonoscope_serving.bundle.config import ModelConfig

ANSWER = "probability"
LAYERS = "layers"  # the parameter of a model that has them as outputs

_PACKAGE = "phonoscope_serving.onnx"
_Field = descriptor_pb2.FieldDescriptorProto


def shows_layers(config: ModelConfig) -> bool:
    """Whether a model has outputs beside its answer that cost something each time it is asked."""
    return LAYERS in config.parameters and ANSWER in {tensor.name for tensor in config.output}


def answer_alone(graph: bytes) -> bytes:
    """An ONNX model with `ANSWER` for its only output; what nothing hangs on any more is dropped as it is loaded."""
    model = _message("ModelProto")
    model.ParseFromString(graph)
    outputs = model.graph.output  # type: ignore[attr-defined]  # made below
    for index in reversed(range(len(outputs))):
        if outputs[index].name != ANSWER:
            del outputs[index]
    return model.SerializeToString()


def _message(name: str) -> Message:
    """One of onnx.proto's messages, as far as names of outputs go; all else is kept unread."""
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.{name}"))()


def _described() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(name="onnx_outputs.proto", package=_PACKAGE, syntax="proto2")
    for message, field, number, kind, label in (
        ("ValueInfoProto", "name", 1, "", _Field.LABEL_OPTIONAL),
        ("GraphProto", "output", 12, "ValueInfoProto", _Field.LABEL_REPEATED),
        ("ModelProto", "graph", 7, "GraphProto", _Field.LABEL_OPTIONAL),
    ):
        described = file.message_type.add(name=message).field.add(name=field, number=number, label=label)
        described.type = _Field.TYPE_MESSAGE if kind else _Field.TYPE_STRING
        if kind:
            described.type_name = f".{_PACKAGE}.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


_POOL = _described()
