"""The few fields of onnx.proto that the service reads; all else in a graph is kept unread.

The service does without the package `onnx`: it only names outputs, and puts weights into their graph.
"""

from __future__ import annotations

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE = "phonoscope_serving.onnx"
_Field = descriptor_pb2.FieldDescriptorProto
_INT32, _BYTES, _STRING = _Field.TYPE_INT32, _Field.TYPE_BYTES, _Field.TYPE_STRING
# Message → field, its number in onnx.proto, a scalar's type or a message's name, and whether there are several.
_FIELDS: dict[str, tuple[tuple[str, int, int | str, bool], ...]] = {
    "StringStringEntryProto": (("key", 1, _STRING, False), ("value", 2, _STRING, False)),
    "TensorProto": (
        ("name", 8, _STRING, False),
        ("raw_data", 9, _BYTES, False),
        ("external_data", 13, "StringStringEntryProto", True),
        ("data_location", 14, _INT32, False),  # an enumeration
    ),
    "ValueInfoProto": (("name", 1, _STRING, False),),
    "GraphProto": (("initializer", 5, "TensorProto", True), ("output", 12, "ValueInfoProto", True)),
    "ModelProto": (("graph", 7, "GraphProto", False),),
}


def _described() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(name="onnx_fields.proto", package=_PACKAGE, syntax="proto2")
    for message, fields in _FIELDS.items():
        described = file.message_type.add(name=message)
        for name, number, kind, is_repeated in fields:
            label = _Field.LABEL_REPEATED if is_repeated else _Field.LABEL_OPTIONAL
            field = described.field.add(name=name, number=number, label=label)
            if isinstance(kind, str):
                field.type, field.type_name = _Field.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
            else:
                field.type = kind  # type: ignore[assignment]  # the enumeration's own type is an int
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


# A message with `graph`, and below it the fields above.
OnnxModel = message_factory.GetMessageClass(_described().FindMessageTypeByName(f"{_PACKAGE}.ModelProto"))
