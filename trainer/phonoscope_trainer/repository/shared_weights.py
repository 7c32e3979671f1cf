"""Weights that several graphs of a bundle hold lie in one file, which each of these graphs refers to.

ONNX calls that external data. A runtime reads it from the graph's own folder and from nowhere else, and follows a link
to it only where the graph is a link into the same folder. So one graph's folder holds the weights and all the graphs
that share them, and the others' folders hold links. A copy that follows links is the same bundle, digest and all.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import onnx
from google.protobuf import text_format
from onnx import numpy_helper
from tritonclient.grpc import model_config_pb2 as triton

from phonoscope_trainer.repository.turned_alike import turn_alike
from phonoscope_trainer.repository.whole_graph import read_graph

GRAPH = "model.onnx"
WEIGHTS = ".weights"  # what a file of them ends in; before that, the graphs that share it
LEAST_BYTES = 2**16  # of one weight
LEAST_SAVED_BYTES = 1_000_000  # by one file: below, a folder without links is worth more
PAGE_BYTES = 4096  # a weight begins at a multiple of, so that runtimes may map it

ModelConfig = Any  # tritonclient's inference.ModelConfig, which ships without types


@dataclass(slots=True)
class _File:
    """Weights of the same graphs."""

    graphs: tuple[str, ...]
    contents: list[bytes] = field(default_factory=list)

    @property
    def name(self) -> str:
        return ".".join(self.graphs) + WEIGHTS

    @property
    def size(self) -> int:
        return sum(map(len, self.contents))

    def written(self, folder: Path) -> dict[bytes, dict[str, str]]:
        """Writes it; what each weight's entry says of where it is, by its content."""
        content, places = bytearray(), {}
        for each in self.contents:
            content.extend(bytes(-len(content) % PAGE_BYTES))
            places[each] = {"location": self.name, "offset": str(len(content)), "length": str(len(each))}
            content.extend(each)
        (folder / self.name).write_bytes(content)
        # By it, a graph's digest stands for its weights too.
        checksum = hashlib.sha1(content, usedforsecurity=False).hexdigest()  # as ONNX has it
        return {each: place | {"checksum": checksum} for each, place in places.items()}


def share_weights(root: Path) -> None:
    """Have the graphs under `root`, which are whole, hold in common what they have in common."""
    models = {path.parents[1].name: read_graph(path) for path in sorted(root.glob(f"*/1/{GRAPH}"))}
    turn_alike(models)
    files, calls = _files(models), _calls(root)
    for members in _connected(files):
        theirs = [each for each in files if members.issuperset(each.graphs)]
        owner = max(sorted(members), key=lambda graph: calls[graph])  # which a bundle can least be without
        folder = root / owner / "1"
        places: dict[str, dict[bytes, dict[str, str]]] = defaultdict(dict)
        for each in theirs:
            written = each.written(folder)
            for graph in each.graphs:
                places[graph] |= written
        for graph in sorted(members):
            _point(models[graph], places[graph])
            content = models[graph].SerializeToString()
            path = folder / (GRAPH if graph == owner else f"{graph}.onnx")
            path.write_bytes(content)
            note_digest(root / graph, content)
            if graph != owner:
                _link(root / graph / "1" / GRAPH, path)
                for each in theirs:
                    if graph in each.graphs:
                        _link(root / graph / "1" / each.name, folder / each.name)


def hold_inside(root: Path) -> None:
    """Have every graph under `root` hold its weights itself; the reverse of `share_weights`."""
    paths = sorted(root.glob(f"*/1/{GRAPH}"))
    contents = {path: read_graph(path).SerializeToString() for path in paths if _is_shared(path)}
    for path, content in contents.items():
        path.unlink()
        path.write_bytes(content)
        note_digest(path.parents[1], content)
    for path in (*root.glob(f"*/1/*{WEIGHTS}"), *root.glob("*/1/*.onnx")):
        if path.name != GRAPH:
            path.unlink()


def note_digest(folder: Path, content: bytes) -> None:
    """Have a graph's configuration know its digest, which shows a service that a remote server holds this graph."""
    path = folder / "config.pbtxt"
    config = text_format.Parse(path.read_text(encoding="utf-8"), triton.ModelConfig())
    config.parameters["graph_sha256"].string_value = hashlib.sha256(content).hexdigest()
    path.write_text(text_format.MessageToString(config), encoding="utf-8")


def copy_linked(root: Path) -> Callable[[str, str], None]:
    """Copies one file of the bundle at `root`, for `shutil.copytree`: a link within the bundle stays one."""
    inside = root.resolve()

    def copy(source: str, target: str) -> None:
        real = Path(source).resolve()
        if Path(source).is_symlink() and real.is_relative_to(inside):
            Path(target).symlink_to(os.path.relpath(real, Path(source).parent.resolve()))
        else:
            shutil.copy2(source, target)

    return copy


def _is_shared(path: Path) -> bool:
    weights = onnx.load(path, load_external_data=False).graph.initializer
    return path.is_symlink() or any(each.data_location == onnx.TensorProto.EXTERNAL for each in weights)


def _content(weight: onnx.TensorProto) -> bytes:
    return numpy_helper.to_array(weight).tobytes()


def _files(models: Mapping[str, onnx.ModelProto]) -> list[_File]:
    """What is worth to be shared, by who shares it."""
    holders: dict[bytes, set[str]] = defaultdict(set)
    for graph, model in models.items():
        for weight in model.graph.initializer:
            if len(content := _content(weight)) >= LEAST_BYTES:
                holders[content].add(graph)
    files: dict[tuple[str, ...], _File] = {}
    for content, graphs in holders.items():
        if len(graphs) > 1:
            sharing = tuple(sorted(graphs))
            files.setdefault(sharing, _File(sharing)).contents.append(content)
    return [each for each in files.values() if each.size * (len(each.graphs) - 1) >= LEAST_SAVED_BYTES]


def _connected(files: Iterable[_File]) -> list[set[str]]:
    """Graphs that share anything, directly or through others: they must lie in one folder."""
    sets: list[set[str]] = []
    for each in files:
        joined = set(each.graphs).union(*(other for other in sets if other.intersection(each.graphs)))
        sets = [other for other in sets if not other & joined] + [joined]
    return sets


def _calls(root: Path) -> Counter[str]:
    """How many steps of ensembles call each graph."""
    calls: Counter[str] = Counter()
    for path in root.glob("*/config.pbtxt"):
        config: ModelConfig = text_format.Parse(path.read_text(encoding="utf-8"), triton.ModelConfig())
        calls.update(step.model_name for step in config.ensemble_scheduling.step)
    return calls


def _point(model: onnx.ModelProto, places: Mapping[bytes, Mapping[str, str]]) -> None:
    """Has a graph refer to its shared weights instead of holding them."""
    for weight in model.graph.initializer:
        if place := places.get(_content(weight)):
            kept = onnx.TensorProto(name=weight.name, data_type=weight.data_type, dims=weight.dims)
            kept.data_location = onnx.TensorProto.EXTERNAL
            for key, value in place.items():
                kept.external_data.add(key=key, value=value)
            weight.CopyFrom(kept)


def _link(link: Path, target: Path) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(os.path.relpath(target, link.parent))
