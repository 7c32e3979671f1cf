"""A detector under explanation as a network: its rules, its gradient, and what they become when it is altered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from phonoscope_trainer.graphs.gradient import GradientGraph, asked
from phonoscope_trainer.graphs.masker import SEEN
from phonoscope_trainer.graphs.rules import ALPHAS
from phonoscope_trainer.networks.label import is_vocal, threshold_logit
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.recipes.masker.training import load_masker
from phonoscope_trainer.repository.shipped_graphs import network_of, session_of, standardise_of, threshold_of


@dataclass(frozen=True, slots=True)
class ExplainedNetwork:
    """A detector and the rules that explain it; the rules read whatever network is put in its place."""

    network: SVDNet
    inversion: Callable[[Tensor, Tensor], Tensor]  # FC8 features `[B, 64]` and the excerpt to relevance `[B, 115, 80]`
    masking: Callable[[Tensor, Tensor], Tensor] | None  # Conv5 maps and FC8 features to relevance `[B, 115, 80]`
    standardise: Standardise
    threshold: float  # at or above it the label is `vocal`

    @property
    def threshold_logit(self) -> float:
        """The threshold before the sigmoid."""
        return threshold_logit(self.threshold)

    @property
    def default(self) -> str:
        """The rule served by default: the first that there is."""
        return next(rule for rule in ALPHAS if rule != "masker" or self.masking)

    def margins(self, standardised: Tensor) -> Tensor:
        """`[B]` logits above the threshold's, of standardised excerpts `[B, 115, 80]`: 0 and more for `vocal`."""
        margins: Tensor = self.network(standardised)[:, 0] - self.threshold_logit
        return margins

    def is_vocal(self, log_mel: Tensor) -> Tensor:
        """The labels `[B]` (bool) of raw excerpts `[B, 115, 80]`."""
        return is_vocal(self.margins_of(log_mel), 0)

    def margins_of(self, log_mel: Tensor) -> Tensor:
        """`[B]` logits above the threshold's, of raw excerpts `[B, 115, 80]`."""
        with torch.inference_mode():
            return self.margins(self.standardise(log_mel))

    @torch.inference_mode()
    def relevances(self, standardised: Tensor) -> dict[str, Tensor]:
        """Rule → `[B, 115, 80]` in [0, 1], of standardised excerpts `[B, 115, 80]`."""
        activations = self.network.activations(standardised)
        found = {
            "gradient": GradientGraph(self.network, self.threshold)(standardised, *asked(self.network, activations)),
            "inversion": self.inversion(activations["fc8"], standardised),
        }
        if self.masking:
            found["masker"] = self.masking(*(activations[name] for name in SEEN))
        return {rule: found[rule] for rule in ALPHAS if rule in found}

    def with_network(self, network: SVDNet) -> ExplainedNetwork:
        """The same rules reading another detector."""
        return replace(self, network=network)


def network_of_bundle(repository: Path, masker: Path | None, threads: int) -> ExplainedNetwork:
    """What ships, with the bundle's weights in PyTorch and its rules' graphs; or with a `masker` not exported yet.

    Raises:
        CheckpointError: `masker` holds no readable run.
        ExportError: there is no bundle at `repository`, or one without an explanation inverter.
    """
    threshold = threshold_of(repository)
    inversion = _graph(repository, "explanation_inverter", threads)
    masking: Callable[[Tensor, Tensor], Tensor] | None = load_masker(masker) if masker else None
    if masking is None and (repository / "masker").is_dir():
        masking = _graph(repository, "masker", threads)
    return ExplainedNetwork(network_of(repository), inversion, masking, standardise_of(repository), threshold)


def _graph(repository: Path, name: str, threads: int) -> Callable[..., Tensor]:
    """The relevance that a rule's graph gives, as a function of its inputs, in order."""
    session = session_of(repository, name, threads)
    names = [value.name for value in session.get_inputs()]

    def run(*inputs: Tensor) -> Tensor:
        values = {each: value.numpy() for each, value in zip(names, inputs, strict=True)}
        return torch.from_numpy(session.run(["relevance"], values)[0])

    return run
