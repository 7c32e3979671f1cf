"""ONNX graphs one after the other as one graph, tied by the names of their tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import onnx
from onnx import helper

from phonoscope_trainer.errors import ExportError


def joined(
    name: str,
    parts: Sequence[tuple[onnx.ModelProto, Mapping[str, str]]],
    inputs: Sequence[str],
    outputs: Sequence[str],
) -> onnx.ModelProto:
    """One model of several.

    Args:
        name: of the graph.
        parts: models in the order in which they run, each with what its inputs and outputs are called in the whole;
            those it does not say keep their names. Operator sets must be of one version.
        inputs: of the whole: what parts take that no part before them makes.
        outputs: of the whole.

    Raises:
        ExportError: the parts' operators are of different versions, or an input is no part's.
    """
    graph = onnx.GraphProto(name=name)
    operators: dict[str, int] = {}
    kinds: dict[str, onnx.ValueInfoProto] = {}
    for number, (model, called) in enumerate(parts):
        for each in model.opset_import:
            if operators.setdefault(each.domain, each.version) != each.version:
                version = operators[each.domain]
                raise ExportError(f"{name}: operators of version {each.version} and of version {version} in one graph")
        part = onnx.GraphProto()
        part.CopyFrom(model.graph)
        ends = {value.name: called.get(value.name, value.name) for value in (*part.input, *part.output)}
        for each in _graphs(part):
            _rename(each, ends, f"part{number}_")
        kinds |= {value.name: value for value in (*part.input, *part.output) if value.name not in kinds}
        graph.node.extend(part.node)
        graph.initializer.extend(part.initializer)
    if absent := [each for each in (*inputs, *outputs) if each not in kinds]:
        raise ExportError(f"{name}: no part has {', '.join(absent)}")
    graph.input.extend(kinds[each] for each in inputs)
    graph.output.extend(kinds[each] for each in outputs)
    versions = [helper.make_opsetid(domain, version) for domain, version in operators.items()]
    return helper.make_model(graph, opset_imports=versions, ir_version=max(model.ir_version for model, _ in parts))


def _rename(graph: onnx.GraphProto, ends: Mapping[str, str], prefix: str) -> None:
    """Call the ends of a part what they are called in the whole, and all else what nothing else is called."""

    def name_of(own: str) -> str:
        return ends.get(own, prefix + own) if own else own

    for node in graph.node:
        node.name = prefix + node.name
        for names in (node.input, node.output):
            names[:] = [name_of(each) for each in names]
    for value in (*graph.input, *graph.output, *graph.initializer, *graph.value_info):
        value.name = name_of(value.name)


def _graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """A graph and the bodies of its loops and branches."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _graphs(attribute.g)
