"""An adopted listener as its bundle ships it: graphs in ONNX Runtime, and what the manifest says of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.frontends.parameters import FrontendParameters
from phonoscope_trainer.networks.listener import LOG_ODDS, Listener
from phonoscope_trainer.repository.manifest import MANIFEST
from phonoscope_trainer.repository.shipped_graphs import session_of

PARAMETERS = "frontend_parameters"  # of the listener's entry


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


def shipped_listener(root: Path, threads: int) -> ShippedListener:
    """The one listener of an adopted bundle.

    Raises:
        ExportError: there is no bundle, or its listener was not adopted with a front-end by parameters.
    """
    path = root / MANIFEST
    if not path.is_file():
        raise ExportError(f"{root}: no {MANIFEST}; `phonoscope-train adopt` makes a bundle")
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    entry = next(iter(manifest.get("listeners", [])), {})
    if PARAMETERS not in entry:
        raise ExportError(f"{root}: its first listener was not adopted on pictures; see `phonoscope-train adopt`")
    network = Shipped(session_of(root, entry["network"], threads))
    frontend = session_of(root, entry["frontend"], threads)
    rules = {name: session_of(root, name, threads) for name in manifest["rules"]}
    thresholds = manifest.get("thresholds", [manifest["threshold"]] if "threshold" in manifest else [])
    listener = Listener(
        entry["name"],
        FrontendParameters(**entry[PARAMETERS]),
        int(entry["frames"]),
        network,
        tuple(entry["labels"]),
        entry["decision"],
        tuple(thresholds),
    )
    alphas = {name: float(each["alpha"]) for name, each in manifest["rules"].items()}
    return ShippedListener(listener, frontend, network, rules, alphas)
