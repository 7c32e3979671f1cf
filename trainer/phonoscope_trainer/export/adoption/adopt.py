"""From a listener to its bundle: music, rules, bank, golden vectors, and what could not be made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import onnx
import torch
from torch import Tensor

from phonoscope_trainer.export.adoption.bank import ADOPTED_BANK, AdoptedBankOptions, rendered_excerpts, why_no_bank
from phonoscope_trainer.export.adoption.bundle import Adoption, write_adopted
from phonoscope_trainer.export.adoption.rules import rules_of
from phonoscope_trainer.export.adoption.verification import verified
from phonoscope_trainer.graphs.adopted import adopted_network_graph, composed
from phonoscope_trainer.graphs.description import Graph, TensorSpec
from phonoscope_trainer.graphs.occlusion import OcclusionOptions
from phonoscope_trainer.graphs.ready_made import ReadyMade
from phonoscope_trainer.networks.inverter import parameter_count
from phonoscope_trainer.networks.label_masker import LabelMasker
from phonoscope_trainer.networks.listener import LOG_ODDS, Listener
from phonoscope_trainer.recipes.layer_inversion.training import LayerInversions
from phonoscope_trainer.repository.manifest import TrainingData

FILLINGS = 8  # excerpts of other music that the black-box rule covers bins with
OCCLUSION = OcclusionOptions(masks=256)


@dataclass(frozen=True, slots=True)
class AdoptionOptions:
    """What is asked for."""

    out: Path
    name: str  # of the bundle
    command: str
    occlusion: OcclusionOptions = OCCLUSION
    bank: AdoptedBankOptions = ADOPTED_BANK
    training_data: tuple[TrainingData, ...] = ()
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What came of it."""

    digest: str
    rules: tuple[str, ...]
    missing: Mapping[str, str]  # rule → why there is none
    differences: Mapping[str, float]  # ensemble → how far ONNX Runtime is from the golden vectors
    layers: tuple[str, ...] = ()
    exchanges: bool = True
    inverted: tuple[str, ...] = ()  # layers that can be

    def lines(self) -> list[str]:
        """For a person at a terminal."""
        worst = max(self.differences, key=lambda name: self.differences[name])
        layers = ", ".join(self.layers) or "none"
        other = "other music to exchange with; " if self.exchanges else ""
        inverted = f", of which can be inverted: {', '.join(self.inverted)}" if self.inverted else ""
        return [
            f"made   rules: {', '.join(self.rules)} (the first is the default); layers: {layers}{inverted}",
            f"made   {other}sound; {len(self.differences)} ensembles that ONNX Runtime computes as PyTorch does "
            f"(furthest: {worst}, {self.differences[worst]:.1g})",
            *(f"no     {name}: {why}" for name, why in self.missing.items()),
            f"bundle {self.digest[:12]}",
        ]


@dataclass(frozen=True, slots=True)
class Opened:
    """The listener, and what is known of its inside."""

    trained: Listener
    masker: LabelMasker | None = None
    inversions: LayerInversions | None = None  # of its layers
    baseline: Tensor | None = None  # `[M]` band means over music
    network: onnx.ModelProto | None = None  # the contract's, where it is no torch network
    layers: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # of it
    why_no_gradient: str = ""  # of a graph that is not translated to torch; empty where it is, and of torch networks


def adopt(opened: Opened, options: AdoptionOptions) -> Report:
    """Write a listener's bundle in place of what is at `out`, and check it against its golden vectors.

    Raises:
        ExportError: a graph cannot be written faithfully.
    """
    trained, listener = opened.trained, composed(opened.trained)
    music = rendered_excerpts(options.bank, trained)
    with torch.inference_mode():
        pictures = trained.standardise(trained.bands(music.samples))
    baseline = pictures.mean(dim=(0, 1)) if opened.baseline is None else opened.baseline
    rules = rules_of(
        trained,
        opened.masker,
        baseline,
        pictures[-FILLINGS:].clone(),
        options.occlusion,
        network=opened.network,
        why_no_gradient=opened.why_no_gradient,
        inversions=opened.inversions,
    )
    missing = dict(rules.missing)
    if reason := why_no_bank(options.bank, music, trained):
        missing["exchange"] = reason
    network = adopted_network_graph(trained, listener) if opened.network is None else _ready(opened)
    parameters = {} if opened.network is not None else {trained.name: parameter_count(trained.network)}
    digest = write_adopted(
        Adoption(
            trained,
            network,
            rules.graphs,
            options.out,
            options.name,
            options.command,
            training_data=options.training_data,
            parameters=parameters | ({"masker": parameter_count(opened.masker)} if opened.masker else {}),
            commands=options.commands,
            bank=options.bank,
            inversions=opened.inversions,
            music=None if "exchange" in missing else music,
        )
    )
    layers = tuple(opened.layers if opened.network is not None else trained.layers())
    exchanges = "exchange" not in missing
    inverted = tuple(opened.inversions.inverters) if opened.inversions else ()
    return Report(digest, tuple(rules.graphs), missing, verified(options.out), layers, exchanges, inverted)


def _ready(opened: Opened) -> Graph:
    """The contract's network of somebody's own graph."""
    listener = composed(opened.trained)
    assert opened.network is not None
    return Graph(
        listener.network,
        ReadyMade(opened.network),
        listener.maps("excerpt"),
        (
            *(TensorSpec(name, shape) for name, shape in opened.layers.items()),
            *listener.probabilities(LOG_ODDS, "probability"),
        ),
        (torch.zeros(2, *listener.picture),),
        parameters={"layers": ",".join(opened.layers)} if opened.layers else {},
    )
