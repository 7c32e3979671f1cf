"""Door 2: somebody's ONNX graph on pictures, and, where it can be opened, the same network in torch."""

from __future__ import annotations

from dataclasses import replace

import onnx
import torch
from torch import nn

from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.export.adoption.adopt import Opened
from phonoscope_trainer.graphs.ready_made import ReadyMade
from phonoscope_trainer.graphs.translation.as_network import PROBABILITY, AsNetwork
from phonoscope_trainer.graphs.translation.network import Translated
from phonoscope_trainer.networks.listener import LOG_ODDS, Listener
from phonoscope_trainer.repository.foreign import Foreign, Order, PictureHead, contract_network

AGREE = 1e-4  # of log-odds, or of the largest of them: a translation that is further is none


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
        bands_first=order == "bands-first",
    )
    names = (*called, LOG_ODDS, PROBABILITY)
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
    translated, why_not = _translated(model, trained)
    adopted = replace(trained, network=AsNetwork(translated or whole, names, trained.decision))
    return Opened(adopted, network=model, layers=layers, why_no_gradient=why_not)


def _translated(model: onnx.ModelProto, trained: Listener) -> tuple[nn.Module | None, str]:
    """The graph in torch, held against itself in ONNX Runtime; or None, and why."""
    picture = torch.randn(3, *trained.picture, generator=torch.Generator().manual_seed(0))
    try:
        network = Translated(model).eval()
        with torch.inference_mode():
            ours = network(picture)
    except ExportError as error:
        return None, str(error)
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        return None, f"the graph is not translated to torch: {error}"
    theirs = ReadyMade(model)(picture)
    apart = max(float((a - b).abs().max() / max(1.0, float(b.abs().max()))) for a, b in zip(ours, theirs, strict=True))
    if not apart <= AGREE:
        return None, f"its translation to torch is {apart:.1g} from it, {AGREE:g} is allowed"
    return network, ""
