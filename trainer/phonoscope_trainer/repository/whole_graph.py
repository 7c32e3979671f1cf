"""Graphs with their weights inside, wherever the bundle keeps those."""

from __future__ import annotations

from pathlib import Path

import onnx

from phonoscope_trainer.errors import ExportError


def read_graph(path: Path) -> onnx.ModelProto:
    """A bundle's graph, with what it shares with others inside.

    `onnx.load` does not follow links to weights, by which a foreign model might read any file; here a weight is
    in a file beside its graph, and a bundle's manifest lists it.

    Raises:
        ExportError: its weights are elsewhere, or not all there.
    """
    model = onnx.load(path, load_external_data=False)
    files: dict[str, bytes] = {}
    for tensor in model.graph.initializer:
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            said = {entry.key: entry.value for entry in tensor.external_data}
            name, begin, length = said.get("location", ""), int(said.get("offset", 0)), int(said.get("length", 0))
            beside = path.parent / name
            if name not in files:
                if Path(name).name != name or not beside.is_file():
                    raise ExportError(f"{path}: weight {tensor.name} is in {name!r}, which is no file beside it")
                files[name] = beside.read_bytes()
            if begin + length > len(files[name]):
                raise ExportError(f"{path}: weight {tensor.name} ends behind the end of {name}")
            tensor.raw_data = files[name][begin : begin + length]
            tensor.ClearField("external_data")
            tensor.ClearField("data_location")
    return model
