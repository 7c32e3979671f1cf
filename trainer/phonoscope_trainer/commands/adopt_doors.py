"""What stands behind the doors of `adopt`: torch modules and ONNX graphs on pictures, with what is said of them."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from phonoscope_trainer.corpora.golden_frontend import checked
from phonoscope_trainer.errors import CheckpointError, OptionsError
from phonoscope_trainer.export.adoption.adopt import Opened
from phonoscope_trainer.export.adoption.opened_onnx import opened_onnx
from phonoscope_trainer.export.adoption.waveform import WaveformListener
from phonoscope_trainer.frontends.parameters import FrontendParameters
from phonoscope_trainer.networks.listener import Decision, Layered, Listener
from phonoscope_trainer.repository.foreign import arrangement, read_foreign

PIANO = "piano"
NOTES = ("A", "A sharp", "B", "C", "C sharp", "D", "D sharp", "E", "F", "F sharp", "G", "G sharp")


@dataclass(frozen=True, slots=True)
class Described:
    """What a person says of a network."""

    name: str
    labels: str
    decision: str
    threshold: float
    frontend: str
    frames: int
    golden: tuple[Path, Path] | None
    layers: tuple[str, ...]

    def all_labels(self) -> tuple[str, ...]:
        """The labels, one by one."""
        if self.labels == PIANO:
            return tuple(f"{NOTES[key % 12]} {(key + 9) // 12}" for key in range(88))
        path = Path(self.labels)
        text = path.read_text(encoding="utf-8") if self.labels and path.is_file() else self.labels.replace(",", "\n")
        found = tuple(line.strip() for line in text.splitlines() if line.strip())
        if len(found) < 2:
            raise OptionsError(f"labels: a listener has two or more, {self.labels!r} gives {len(found)}")
        return found

    def parameters(self) -> FrontendParameters:
        """The front-end, checked against the golden frames where there are any.

        Raises:
            OptionsError: a parameter is unknown or outside its range, or the golden frames are others.
        """
        given = _given(self.frontend)
        known = {field.name: field.type for field in fields(FrontendParameters)}
        if unknown := sorted(given.keys() - known.keys()):
            raise OptionsError(f"frontend: no parameter {unknown[0]!r}; there are {', '.join(known)}")
        parameters = FrontendParameters(**given)
        if self.golden:
            difference = checked(*self.golden, parameters)
            print(f"front-end: {difference:.1g} standard deviations from {self.golden[1].name}")
        return parameters

    def waveform(self, output: str, samples: int, rate_hz: int, *, probabilities: bool | None) -> WaveformListener:
        """The listener of a network on sound."""
        decision = cast(Decision, self.decision)
        return WaveformListener(
            self.name, self.all_labels(), decision, self.threshold, output, samples, rate_hz, probabilities
        )

    def listener(self, network: nn.Module, parameters: FrontendParameters, frames: int) -> Listener:
        """The listener of a network."""
        labels, decision = self.all_labels(), cast(Decision, self.decision)
        count = {"binary": 1, "multi-class": 0, "multi-label": len(labels)}[decision]
        return Listener(self.name, parameters, frames, network, labels, decision, (self.threshold,) * count)


def open_torch(factory: str, weights: Path | None, described: Described) -> Opened:
    """Door 1: a torch module that takes pictures `[B, T, M]`, or `[B, 1, T, M]`, and answers with logits `[B, K]`.

    Raises:
        OptionsError: there is no such factory, or what it makes does not fit what is said of it.
        CheckpointError: the weights cannot be read, or are another network's.
    """
    parameters = described.parameters()
    if not described.frames:
        raise OptionsError("frames: say with --frames how many an excerpt of a torch module has")
    network = _made(factory)
    if weights is not None:
        try:
            network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
        except (OSError, RuntimeError, ValueError, KeyError) as error:
            raise CheckpointError(f"{weights}: not the weights of {factory}: {error}") from error
    network.eval().requires_grad_(requires_grad=False)
    expected = 1 if described.decision == "binary" else len(described.all_labels())
    for channel in (False, True):
        layered = Layered(network, described.layers, channel=channel)
        try:
            with torch.no_grad():
                answer = layered(torch.zeros(2, described.frames, parameters.bands))
        except RuntimeError:
            continue
        if answer.shape == (2, expected):
            return Opened(described.listener(layered, parameters, described.frames))
    raise OptionsError(
        f"{factory}: answers neither [B, {described.frames}, {parameters.bands}] nor [B, 1, {described.frames}, "
        f"{parameters.bands}] with {expected} numbers: check --frames, the front-end's bands and --labels"
    )


def open_onnx(path: Path, described: Described, output: str, answers_are: str | None) -> Opened:
    """Door 2: an ONNX graph that takes pictures.

    Raises:
        ExportError: see `read_foreign`, `arrangement` and `opened_onnx`.
    """
    parameters = described.parameters()
    foreign = read_foreign(path, output, described.layers)
    order, channel, frames = arrangement(foreign, parameters.bands)
    if not (frames or described.frames):
        raise OptionsError(f"{path}: its frames are free: say with --frames how many an excerpt has")
    trained = described.listener(nn.Identity(), parameters, frames or described.frames)
    probabilities = foreign.gives_probabilities if answers_are is None else answers_are == "probabilities"
    return opened_onnx(foreign, trained, order, channel, probabilities=probabilities)


def _made(factory: str) -> nn.Module:
    module, _, name = factory.partition(":")
    try:
        made = getattr(importlib.import_module(module), name)()
    except (ImportError, AttributeError, TypeError) as error:
        raise OptionsError(f"torch: {factory} cannot be called: {error}") from error
    if not isinstance(made, nn.Module):
        raise OptionsError(f"torch: {factory} makes a {type(made).__name__}, not a torch module")
    return made


def _given(text: str) -> dict[str, Any]:
    """A JSON file's, or `NAME=VALUE,…`; values are JSON, or words."""
    if text and Path(text).is_file():
        try:
            found = json.loads(Path(text).read_text(encoding="utf-8"))
        except ValueError as error:
            raise OptionsError(f"frontend: {text} is no JSON: {error}") from error
        if not isinstance(found, dict):
            raise OptionsError(f"frontend: {text} holds no object of parameters")
        return found
    pairs = dict(part.partition("=")[::2] for part in text.split(",") if part)
    return {name: _value(value) for name, value in pairs.items()}


def _value(text: str) -> Any:  # noqa: ANN401 - whatever JSON is
    try:
        return json.loads(text)
    except ValueError:
        return text
