"""A listener as its bundle ships it: graphs in ONNX Runtime, and what the manifest says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from phonoscope_trainer.networks.listener import LOG_ODDS, Listener
from phonoscope_trainer.repository.listeners import entry_of, pictures_of, thresholds_of
from phonoscope_trainer.repository.shipped_graphs import session_of


class Shipped(nn.Module):
    """The exported network where a listener's is expected."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        super().__init__()
        self.session = session
        self.names = [value.name for value in session.get_outputs()]

    def activations(self, excerpt: Tensor) -> dict[str, Tensor]:
        """Layers and answers."""
        values = self.session.run(None, {"excerpt": excerpt.numpy()})
        return {name: torch.from_numpy(value) for name, value in zip(self.names, values, strict=True)}

    def forward(self, excerpt: Tensor) -> Tensor:
        """`log_odds` `[B, K]`."""
        return torch.from_numpy(self.session.run([LOG_ODDS], {"excerpt": excerpt.numpy()})[0])


@dataclass(frozen=True, slots=True)
class ShippedListener:
    """What is judged."""

    listener: Listener
    frontend: onnxruntime.InferenceSession
    network: Shipped
    rules: Mapping[str, onnxruntime.InferenceSession]  # the default first
    alphas: Mapping[str, float]

    @property
    def default(self) -> str:
        """The rule served by default."""
        return next(iter(self.rules))

    def relevance(self, rule: str, log_mel: Tensor, label: Tensor) -> Tensor:
        """`[B, T, M]` of log-mel `[B, T, M]` to labels, int32 `[B, 1]`."""
        picture = self.listener.standardise(log_mel)
        known = {"excerpt": picture.numpy(), "label": label.numpy(), "contrast": np.full_like(label.numpy(), -1)}
        session = self.rules[rule]
        wanted = [value.name for value in session.get_inputs()]
        if layers := [name for name in wanted if name not in known]:
            found = self.network.activations(picture)
            known |= {name: found[name].numpy() for name in layers}
        return torch.from_numpy(session.run(["relevance"], {name: known[name] for name in wanted})[0])


def shipped_listener(root: Path, threads: int, name: str = "") -> ShippedListener:
    """A listener of a bundle whose pictures are described by parameters; the first one without a name.

    Raises:
        ExportError: there is no bundle, or no such listener in it.
    """
    entry = entry_of(root, name)
    parameters, frames = pictures_of(entry)
    network = Shipped(session_of(root, entry["network"], threads))
    rules = {rule: session_of(root, f"{rule}{entry['suffix']}", threads) for rule in entry["rules"]}
    shared = (parameters, frames, network, tuple(entry["labels"]), entry["decision"], thresholds_of(entry))
    alphas = {rule: float(each["alpha"]) for rule, each in entry["rules"].items()}
    frontend = session_of(root, entry["frontend"], threads)
    return ShippedListener(Listener(entry["name"], *shared), frontend, network, rules, alphas)
