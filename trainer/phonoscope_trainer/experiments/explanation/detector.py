"""What is judged: a detector and the rules that explain it, from training runs or from what ships."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from phonoscope_trainer.graphs.explanation_inverter import normalise
from phonoscope_trainer.graphs.gradient import GradientGraph, asked
from phonoscope_trainer.graphs.masker import SEEN
from phonoscope_trainer.graphs.rules import ALPHAS
from phonoscope_trainer.networks.label import is_vocal, threshold_logit
from phonoscope_trainer.networks.layout import channels_last
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.recipes.detector.modern import load_detector
from phonoscope_trainer.recipes.explanation_inverter import load_inverter
from phonoscope_trainer.recipes.masker.training import load_masker
from phonoscope_trainer.repository.reduced_graphs import Open
from phonoscope_trainer.repository.shipped_graphs import session_of, standardise_of, threshold_of


@dataclass(frozen=True, slots=True)
class ExplainedDetector:
    """A detector under explanation."""

    logits: Callable[[Tensor], Tensor]  # `[B]` of standardised excerpts `[B, 115, 80]`
    relevances: Callable[[Tensor], Mapping[str, Tensor]]  # rule → `[B, 115, 80]` in [0, 1], of standardised excerpts
    standardise: Standardise
    threshold: float  # at or above it the label is `vocal`

    def is_vocal(self, standardised: Tensor) -> Tensor:
        """The labels `[B]` (bool) of standardised excerpts `[B, 115, 80]`."""
        return is_vocal(self.logits(standardised), threshold_logit(self.threshold))


def of_runs(detector: Path, inverter: Path, masker: Path | None, threshold: float) -> ExplainedDetector:
    """The networks of training runs, in PyTorch.

    Raises:
        CheckpointError: one of the folders holds no readable run.
    """
    network, standardise = load_detector(detector)
    network.requires_grad_(requires_grad=False)
    channels_last(network)
    inversion, gradient = load_inverter(inverter), GradientGraph(network, threshold)
    masking = load_masker(masker) if masker else None

    def relevances(standardised: Tensor) -> Mapping[str, Tensor]:
        activations = network.activations(standardised)
        found = {
            "inversion": normalise(inversion(activations["fc8"])),
            "gradient": gradient(standardised, *asked(network, activations)),
        }
        return found | ({"masker": masking(*(activations[name] for name in SEEN))} if masking else {})

    return ExplainedDetector(lambda standardised: network(standardised)[:, 0], relevances, standardise, threshold)


def of_bundle(
    repository: Path,
    masker: Path | None,
    threads: int,
    chosen: Collection[str] = tuple(ALPHAS),
    open_graph: Open = session_of,
) -> ExplainedDetector:
    """The exported graphs of a model repository, in ONNX Runtime; with a `masker` that is not exported yet.

    Args:
        repository: where the bundle is.
        masker: a run whose masker takes the place of the bundle's.
        threads: of the processor.
        chosen: the rules that `relevances` gives, of those that there are.
        open_graph: loads the detector and the rules.

    Raises:
        CheckpointError: `masker` holds no readable run.
        ExportError: there is no bundle at `repository`.
    """
    threshold = threshold_of(repository)
    detector = open_graph(repository, "detector", threads)
    rules = {
        rule: open_graph(repository, graph, threads)
        for rule, graph in (("inversion", "explanation_inverter"), ("gradient", "gradient"), ("masker", "masker"))
        if rule in chosen and (repository / graph).is_dir() and not (rule == "masker" and masker)
    }
    masking = load_masker(masker) if masker and "masker" in chosen else None

    def relevances(standardised: Tensor) -> Mapping[str, Tensor]:
        wanted = {value.name for session in rules.values() for value in session.get_inputs()}
        wanted |= set(SEEN) if masking else set()
        names = sorted(wanted - {"excerpt"})
        values = detector.run(names, {"excerpt": standardised.numpy()})
        known = dict(zip(names, values, strict=True)) | {"excerpt": standardised.numpy()}
        found = {}
        for rule, session in rules.items():
            feeds = {value.name: known[value.name] for value in session.get_inputs()}
            found[rule] = torch.from_numpy(session.run(["relevance"], feeds)[0])
        if masking:
            found["masker"] = masking(*(torch.from_numpy(known[name]) for name in SEEN))
        return found

    def logits(standardised: Tensor) -> Tensor:
        return torch.from_numpy(detector.run(["logit"], {"excerpt": standardised.numpy()})[0])[:, 0]

    return ExplainedDetector(logits, relevances, standardise_of(repository), threshold)
