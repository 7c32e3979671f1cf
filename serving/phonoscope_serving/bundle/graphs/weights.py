"""Weights that several graphs share lie beside them in one file (ONNX calls it external data), and are put inside.

An engine is given whole graphs, and reads no file itself: what is run is what was verified.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.message import DecodeError

from phonoscope_serving.bundle.graphs.onnx_fields import OnnxModel
from phonoscope_serving.errors import BundleError

EXTERNAL = 1  # a tensor's `data_location`


def with_weights(graph: bytes, read: Callable[[str], bytes], where: str) -> bytes:
    """An ONNX graph with the weights inside that it refers to; as it was where it refers to none.

    Args:
        graph: the content of its file.
        read: a file beside it, by its name, verified.
        where: the graph is, for messages.

    Raises:
        BundleError: a weight is not in a file beside the graph that the manifest lists, or not all there.
    """
    model: Any = OnnxModel()
    try:
        model.ParseFromString(graph)
    except DecodeError:
        return graph  # the engine says that it is no graph
    outside = [weight for weight in model.graph.initializer if weight.data_location == EXTERNAL]
    files: dict[str, bytes] = {}
    for weight in outside:
        said = {entry.key: entry.value for entry in weight.external_data}
        name = said.get("location", "")
        if not name or "/" in name or "\\" in name:
            raise BundleError(f"{where}: weight {weight.name[:80]} is in {name[:80]!r}, which is no file beside it")
        if name not in files:
            files[name] = read(name)
        weight.raw_data = _part(files[name], said, f"{where}: weight {weight.name[:80]}")
        weight.ClearField("external_data")
        weight.ClearField("data_location")
    return bytes(model.SerializeToString()) if outside else graph


def _part(content: bytes, said: Mapping[str, str], where: str) -> bytes:
    numbers = [said.get("offset", "0"), said.get("length", "")]
    if not all(each.isascii() and each.isdecimal() and len(each) < 20 for each in numbers):
        raise BundleError(f"{where} has no offset and length that are whole numbers")
    begin, length = map(int, numbers)
    if begin + length > len(content):
        raise BundleError(f"{where} ends at byte {begin + length} of {said['location'][:80]}, which has {len(content)}")
    return content[begin : begin + length]
