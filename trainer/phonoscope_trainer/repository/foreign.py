"""Somebody's ONNX model as the contract's network: pictures, or sound, to layers, log-odds and probabilities."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import onnx
import torch
from onnx import helper, shape_inference
from torch import Tensor, nn

from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.graphs.adopted import Answer
from phonoscope_trainer.graphs.joined import joined
from phonoscope_trainer.networks.listener import LOG_ODDS, Decision
from phonoscope_trainer.repository.models import trace
from phonoscope_trainer.repository.versions import at_version

Order = Literal["time-first", "bands-first"]
PROBABILITIES = {"Sigmoid", "Softmax"}  # operators whose output is one already
SMALLEST = 1e-7  # probability: its log-odds are finite
INSIDE = "given"  # what the model's input is called in the whole


@dataclass(frozen=True, slots=True)
class Foreign:
    """A model that was read."""

    model: onnx.ModelProto
    input: str
    shape: tuple[int, ...]  # of its input without the batch axis; 0 where it is free
    output: str
    output_shape: tuple[int, ...]  # likewise
    layers: tuple[str, ...]  # inner tensors to be shown, first to last

    @property
    def gives_probabilities(self) -> bool:
        """Whether its output is a probability already, so far as its last operator says."""
        made_by = {name: node for node in self.model.graph.node for name in node.output}
        node = made_by.get(self.output)
        while node is not None and node.op_type in ("Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"):
            node = made_by.get(node.input[0])
        return node is not None and node.op_type in PROBABILITIES


def read_foreign(path: Path, output: str = "", layers: Sequence[str] = ()) -> Foreign:
    """A model with one input; its batch axis is made free.

    Raises:
        ExportError: it cannot be read, keeps weights in other files, or has no such output or layer.
    """
    try:
        model = onnx.load(path, load_external_data=False)
        onnx.checker.check_model(model)
    except Exception as error:
        raise ExportError(
            f"{path}: not an ONNX model in one file, weights included (external_data=False): {error}"
        ) from error
    graph = model.graph
    constants = {each.name for each in graph.initializer}
    inputs = [each for each in graph.input if each.name not in constants]
    if len(inputs) != 1:
        raise ExportError(f"{path}: a listener has one input, this model has {len(inputs)}")
    names = [each.name for each in graph.output]
    if output and output not in names:
        raise ExportError(f"{path}: has no output {output!r}; it has {', '.join(names)}")
    chosen = output or names[0]
    _free_batch(model)
    known = {name for node in graph.node for name in node.output}
    if absent := [name for name in layers if name not in known]:
        raise ExportError(f"{path}: has no inner tensor {absent[0]!r}")
    shaped = shape_inference.infer_shapes(at_version(model))
    return Foreign(
        shaped, inputs[0].name, _shape(inputs[0]), chosen, _shape(graph.output[names.index(chosen)]), tuple(layers)
    )


class PictureHead(nn.Module):
    """The contract's picture as the model wants it.

    Args:
        order: of its two axes there.
        channel: where its one channel is, from 1 on; 0 for none.
    """

    def __init__(self, order: Order, channel: int) -> None:
        super().__init__()
        self.order, self.channel = order, channel

    def forward(self, excerpt: Tensor) -> Tensor:
        """Of `excerpt` `[B, T, M]`."""
        turned = excerpt.transpose(1, 2) if self.order == "bands-first" else excerpt * 1.0
        return turned.unsqueeze(self.channel) if self.channel else turned


class Tail(nn.Module):
    """The model's output as the contract has it; of several frames, the most a label gets in any."""

    def __init__(self, decision: Decision, *, probabilities: bool) -> None:
        super().__init__()
        self.answer, self.probabilities, self.decision = Answer(decision), probabilities, decision

    def forward(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """`log_odds` and `probability` `[B, K]` of `output` `[B, …, K]`."""
        said = output if output.ndim == 2 else output.flatten(1, -2).amax(dim=1)
        if not self.probabilities:
            log_odds, probability = self.answer(said)
            return log_odds, probability
        sure = torch.clamp(said, SMALLEST, 1 - SMALLEST)
        return torch.log(sure) - torch.log1p(-sure), said * 1.0


def arrangement(foreign: Foreign, bands: int) -> tuple[Order, int, int]:
    """How a model wants its pictures, as its input's shape says: order, place of the channel, frames (0 where free).

    Raises:
        ExportError: no axis has as many places as the front-end has bands.
    """
    shape = foreign.shape
    channel = 0
    if len(shape) == 3:
        channel = 1 if shape[0] == 1 else 3 if shape[2] == 1 else 0
        shape = shape[1:] if channel == 1 else shape[:2] if channel == 3 else shape
    if len(shape) != 2 or bands not in shape:
        raise ExportError(
            f"input {foreign.input}: [B, {', '.join(map(str, foreign.shape))}] is no picture of {bands} bands; the "
            "front-end's bands must be one of its axes"
        )
    order: Order = "time-first" if shape[1] == bands else "bands-first"
    return order, channel, shape[0] if order == "time-first" else shape[1]


def contract_network(
    name: str,
    foreign: Foreign,
    head: nn.Module,
    inputs: Mapping[str, Tensor],
    decision: Decision,
    *,
    probabilities: bool,
    bands_first: bool = False,
) -> tuple[onnx.ModelProto, dict[str, str]]:
    """The model between a head and a tail, and layer → the tensor it is in the model.

    Args:
        name: of the graph.
        foreign: the model.
        head: makes its input of the contract's.
        inputs: of the head, by name, with an example of each, two rows or more.
        decision: of the listener.
        probabilities: whether the model's output is one already.
        bands_first: whether its maps are `[C, M', T']`; as layers they are given as `[C, T', M']`.
    """
    called = {re.sub(r"\W+", "_", each).strip("_"): each for each in foreign.layers}
    model = onnx.ModelProto()
    model.CopyFrom(foreign.model)
    kinds = {each.name: each for each in (*model.graph.value_info, *model.graph.output)}
    if lost := [each for each in called.values() if each not in kinds]:
        raise ExportError(f"layers: the shape of {lost[0]!r} cannot be told")
    if bands_first:
        called = {layer: _turned(model.graph, kinds, tensor) for layer, tensor in called.items()}
    outputs = [kinds[each] for each in dict.fromkeys((foreign.output, *called.values()))]
    del model.graph.output[:]
    model.graph.output.extend(outputs)
    output = torch.full((2, *(each or 3 for each in foreign.output_shape)), 0.5)
    first = traced(head, inputs, [INSIDE])
    last = traced(Tail(decision, probabilities=probabilities), {"said": output}, [LOG_ODDS, "probability"])
    names = {foreign.input: INSIDE, foreign.output: "said"}
    names |= {tensor: layer for layer, tensor in called.items() if tensor != foreign.output}
    whole = joined(name, [(first, {}), (model, names), (last, {})], list(inputs), [*called, LOG_ODDS, "probability"])
    return whole, called


def _turned(graph: onnx.GraphProto, kinds: dict[str, onnx.ValueInfoProto], tensor: str) -> str:
    """Another tensor with time first, of a map; the same of what is none."""
    shape = [each.dim_value for each in kinds[tensor].type.tensor_type.shape.dim]
    if len(shape) != 4:
        return tensor
    turned, order = f"{tensor}_time_first", [0, 1, 3, 2]
    graph.node.append(helper.make_node("Transpose", [tensor], [turned], name=turned, perm=order))
    kind = kinds[tensor].type.tensor_type.elem_type
    dims: list[str | int | None] = ["batch", *(shape[axis] for axis in order[1:])]
    kinds[turned] = helper.make_tensor_value_info(turned, kind, dims)
    return turned


def traced(module: nn.Module, inputs: Mapping[str, Tensor], outputs: Sequence[str]) -> onnx.ModelProto:
    """A module as ONNX; the first axis of what has more than one is free."""
    axes = [{} if each.ndim == 1 else {0: torch.export.Dim.DYNAMIC} for each in inputs.values()]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        trace(module, tuple(inputs.values()), path, list(inputs), list(outputs), axes)
        return onnx.load(path)


def _free_batch(model: onnx.ModelProto) -> None:
    """Let inputs and outputs have any number of rows; what was inferred with the old one is forgotten."""
    del model.graph.value_info[:]
    constants = {each.name for each in model.graph.initializer}
    for value in (*model.graph.input, *model.graph.output):
        if value.name not in constants and value.type.tensor_type.shape.dim:
            value.type.tensor_type.shape.dim[0].Clear()
            value.type.tensor_type.shape.dim[0].dim_param = "batch"


def _shape(value: onnx.ValueInfoProto) -> tuple[int, ...]:
    return tuple(axis.dim_value for axis in value.type.tensor_type.shape.dim[1:])
