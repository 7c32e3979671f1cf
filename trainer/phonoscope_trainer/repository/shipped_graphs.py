"""What a bundle's graphs hold, for experiments that look inside: sessions, band statistics, the detector's weights."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor

from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.graphs.description import Ensemble
from phonoscope_trainer.networks.masker import Masker, transposed
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.repository.manifest import MANIFEST
from phonoscope_trainer.repository.whole_graph import read_graph

Run = Callable[[Mapping[str, Tensor]], dict[str, Tensor]]  # an ensemble's inputs → its outputs


def runner(repository: Path, ensemble: Ensemble) -> Run:
    """What an ensemble's outputs are, computed by the repository's graphs; `ensemble` need not be its own."""
    sessions = {step.graph: session_of(repository, step.graph) for step in ensemble.steps}

    def run(inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        known = {name: value.numpy() for name, value in inputs.items()}
        for step in ensemble.steps:  # written in an order in which they can run
            feeds = {name: known[tensor] for name, tensor in step.inputs.items()}
            values = sessions[step.graph].run(list(step.outputs), feeds)
            known |= dict(zip(step.outputs.values(), values, strict=True))
        return {spec.name: torch.from_numpy(known[spec.name]) for spec in ensemble.outputs}

    return run


def threshold_of(repository: Path) -> float:
    """The detector's threshold; a probability at or above it is labelled `vocal`.

    Raises:
        ExportError: there is no bundle at `repository`.
    """
    manifest = repository / MANIFEST
    if not manifest.is_file():
        raise ExportError(f"{repository}: no {MANIFEST}, so no bundle to judge; export one first")
    return float(json.loads(manifest.read_text(encoding="utf-8"))["threshold"])


def session_of(repository: Path, graph: str, threads: int = 0) -> onnxruntime.InferenceSession:
    """One graph of a repository on the CPU, on so many threads; 0: on every core."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(_file(repository, graph)), options, providers=["CPUExecutionProvider"])


def standardise_of(repository: Path) -> Standardise:
    """The band statistics, read out of the exported front-end: masks apply to raw and to standardised excerpts.

    Raises:
        ExportError: it holds none.
    """
    values = constants_of(repository, "frontend")
    names = ("standardise.mean", "standardise.std")
    if missing := [name for name in names if name not in values]:
        raise ExportError(f"{repository}: frontend holds no {missing[0]}; export it with this version")
    return Standardise(*(torch.tensor(values[name]) for name in names))


def network_of(repository: Path) -> SVDNet:
    """The exported detector as a network again, in evaluation mode: it can be differentiated, and altered.

    Raises:
        ExportError: the graph holds other weights than the detector's.
    """
    model = read_graph(_file(repository, "detector"))
    values = _constants(model)
    network, state = SVDNet(), {}
    layers = [name.removesuffix(".weight") for name in network.state_dict() if name.endswith(".weight")]
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]  # in the order of the layers
    if len(convolutions) != len(layers):
        raise ExportError(f"{repository}: detector has {len(convolutions)} convolutions, not {len(layers)}")
    for name, node in zip(layers, convolutions, strict=True):
        weight, bias = (network.get_submodule(name).get_parameter(part) for part in ("weight", "bias"))
        # The export may fold a weight into the shape in which its convolution takes it, and drop a bias of zeros.
        exported = values.get(f"network.{name}.weight", values.get(node.input[1]))
        if exported is None or exported.size != weight.numel():
            raise ExportError(f"{repository}: detector holds no {name}.weight of {weight.numel()} numbers")
        state[f"{name}.weight"] = torch.tensor(exported).view_as(weight)
        has_bias = len(node.input) > 2 and node.input[2] in values
        state[f"{name}.bias"] = torch.tensor(values[node.input[2]]) if has_bias else torch.zeros_like(bias)
    network.load_state_dict(state)
    return network.eval().requires_grad_(requires_grad=False)


def masker_of(repository: Path) -> Masker:
    """The exported masker as a network again, in evaluation mode.

    Raises:
        ExportError: the graph holds other weights than a masker's.
    """
    values, masker = constants_of(repository, "masker"), Masker()
    state = masker.state_dict()
    for name, own in state.items():
        if name.endswith(".bias") and name not in values:  # an export drops zeros
            values[name] = np.zeros(own.numel(), np.float32)
        if name not in values or values[name].size != own.numel():
            raise ExportError(f"{repository}: masker holds no {name} of {own.numel()} numbers")
        exported = torch.tensor(values[name])
        is_turned = name == "decide.weight" and exported.shape == own.transpose(0, 1).shape  # see `cheaply_decided`
        state[name] = (transposed(exported) if is_turned else exported).view_as(own)
    masker.load_state_dict(state)
    return masker.eval().requires_grad_(requires_grad=False)


def constants_of(repository: Path, graph: str) -> dict[str, NDArray[np.generic]]:
    """The arrays that a graph holds, by name: weights among them.

    Raises:
        ExportError: there is no such graph.
    """
    return _constants(read_graph(_file(repository, graph)))


def _constants(model: onnx.ModelProto) -> dict[str, NDArray[np.generic]]:
    return {each.name: numpy_helper.to_array(each).copy() for each in model.graph.initializer}  # theirs are read-only


def _file(repository: Path, graph: str) -> Path:
    path = repository / graph / "1" / "model.onnx"
    if not path.is_file():
        raise ExportError(f"{repository}: no graph {graph!r}; export one with this version")
    return path
