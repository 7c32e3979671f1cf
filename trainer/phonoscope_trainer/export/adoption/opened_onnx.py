"""Door 2: somebody's ONNX graph on pictures, and, where it can be opened, the same network in torch."""

from __future__ import annotations

import importlib
import warnings
from dataclasses import replace
from typing import Any

import onnx
import torch
from torch import Tensor, nn

from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.export.adoption.adopt import Opened
from phonoscope_trainer.graphs.ready_made import ReadyMade
from phonoscope_trainer.networks.listener import LOG_ODDS, Listener
from phonoscope_trainer.repository.foreign import Foreign, Order, PictureHead, contract_network

AGREE = 1e-4  # of log-odds, or of the largest of them: a translation that is further is none


class AsNetwork(nn.Module):
    """A contract's network, or its translation, as rules and measurements know networks."""

    def __init__(self, whole: nn.Module, names: tuple[str, ...]) -> None:
        super().__init__()
        self.whole, self.names = whole, names

    def activations(self, excerpt: Tensor) -> dict[str, Tensor]:
        """Layers, then `log_odds`."""
        found = self.whole(excerpt)
        return dict(zip(self.names, found, strict=False))

    def forward(self, excerpt: Tensor) -> Tensor:
        """`log_odds` `[B, K]`."""
        return self.activations(excerpt)[LOG_ODDS]


def opened_onnx(foreign: Foreign, trained: Listener, order: Order, channel: int, *, probabilities: bool) -> Opened:
    """The listener of a graph that was read; with gradients where it can be translated to torch.

    Raises:
        ExportError: the graph does not answer pictures of this shape with as many numbers as there are labels.
    """
    example = torch.zeros(2, *trained.picture)
    model, called = contract_network(
        trained.name,
        foreign,
        PictureHead(order, channel),
        {"excerpt": example},
        trained.decision,
        probabilities=probabilities,
    )
    names = (*called, LOG_ODDS, "probability")
    whole = ReadyMade(model)
    try:
        found = dict(zip(names, whole(torch.randn(3, *trained.picture)), strict=True))
    except Exception as error:
        raise ExportError(f"the network does not answer three pictures of {list(trained.picture)}: {error}") from error
    if found[LOG_ODDS].shape != (3, trained.answers):
        raise ExportError(
            f"the network answers three pictures with {list(found[LOG_ODDS].shape)}, and there are "
            f"{trained.answers} labels"
        )
    layers = {name: tuple(found[name].shape[1:]) for name in called}
    translated = _translated(model, trained)
    network = AsNetwork(translated or whole, names)
    # With several labels of which one is right the answer is log-odds already; the decision is the tail's.
    adopted = replace(trained, network=network)
    return Opened(adopted, network=model, layers=layers, differentiable=translated is not None)


def _translated(model: onnx.ModelProto, trained: Listener) -> nn.Module | None:
    """The graph in torch, by onnx2torch where it is installed and knows every operator; None otherwise."""
    try:
        converter: Any = importlib.import_module("onnx2torch")
    except ImportError:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            network: nn.Module = converter.convert(model).eval().requires_grad_(requires_grad=False)
        picture = torch.randn(3, *trained.picture)
        ours, theirs = network(picture), ReadyMade(model)(picture)
    except Exception:  # noqa: BLE001 - whatever a translation fails of, the black box is left
        return None
    apart = max(float((a - b).abs().max() / max(1.0, float(b.abs().max()))) for a, b in zip(ours, theirs, strict=True))
    return network if apart <= AGREE else None
