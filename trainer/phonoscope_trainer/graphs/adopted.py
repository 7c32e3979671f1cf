"""The graphs of a network from elsewhere: its front-end by parameters, itself with its layers, a masker, its sound."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from phonoscope_trainer.frontends.parameters import FrontendParameters, edges_hz, filters_of, window_of
from phonoscope_trainer.frontends.parametric import Bands, Picture
from phonoscope_trainer.graphs.asked_label import ASKED, AskedLabel
from phonoscope_trainer.graphs.derived_gradient import derived_gradient
from phonoscope_trainer.graphs.description import Graph, TensorSpec, numbers
from phonoscope_trainer.graphs.listener import Listener
from phonoscope_trainer.graphs.tagger import log_odds
from phonoscope_trainer.graphs.transform import Transform
from phonoscope_trainer.networks.label_masker import LabelMasker
from phonoscope_trainer.networks.listener import LOG_ODDS, Decision
from phonoscope_trainer.networks.listener import Listener as Trained


class AdoptedFrontend(nn.Module):
    """Samples to `log_mel` and to what the network is given."""

    def __init__(self, parameters: FrontendParameters) -> None:
        super().__init__()
        self.bands, self.standardise = Bands(parameters), Picture(parameters)

    def forward(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """`log_mel` and `standardised`, both `[B, T, M]`, of `samples` `[B, N]`."""
        log_mel = self.bands(samples)
        return log_mel, self.standardise(log_mel)


class Answer(nn.Module):
    """A network's last layer as log-odds: of several labels of which one is right, each against all others."""

    def __init__(self, decision: Decision) -> None:
        super().__init__()
        self.decision = decision

    def forward(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """`log_odds` and `probability`, both `[B, K]`, of `logits` `[B, K]`."""
        if self.decision == "multi-class":
            return log_odds(logits), torch.softmax(logits, dim=1)
        return logits, torch.sigmoid(logits)


class AdoptedNetwork(nn.Module):
    """A network, all of it visible."""

    def __init__(self, trained: Trained) -> None:
        super().__init__()
        self.network, self.answer = trained.network, Answer(trained.decision)

    def forward(self, excerpt: Tensor) -> tuple[Tensor, ...]:
        """Each layer, `log_odds` and `probability` `[B, K]`, of `excerpt` `[B, T, M]`."""
        found = self.network.activations(excerpt)  # type: ignore[operator]  # Layered, or alike
        return (*(value for name, value in found.items() if name != LOG_ODDS), *self.answer(found[LOG_ODDS]))


class LogOdds(nn.Module):
    """Pictures to `log_odds` alone: what rules differentiate."""

    def __init__(self, trained: Trained) -> None:
        super().__init__()
        self.network, self.answer = trained.network, Answer(trained.decision)

    def forward(self, excerpt: Tensor) -> Tensor:
        """`[B, K]` of `excerpt` `[B, T, M]`."""
        found: Tensor = self.answer(self.network(excerpt))[0]
        return found


class MaskerGraph(nn.Module):
    """The masker, told a label by its number, and the gradient that it looks at."""

    def __init__(self, masker: LabelMasker, trained: Trained) -> None:
        super().__init__()
        self.masker, self.asked = masker, AskedLabel(trained.answers)
        self.gradient = derived_gradient(LogOdds(trained), torch.zeros(2, *trained.picture))

    def forward(self, excerpt: Tensor, label: Tensor, contrast: Tensor, *maps: Tensor) -> Tensor:
        """`relevance` `[B, T, M]`; see `LabelMasker`."""
        weights = self.asked(label, contrast)
        relevance: Tensor = self.masker(excerpt, self.gradient(excerpt, weights), weights, *maps)
        return relevance


class AdoptedListen(nn.Module):
    """Masked overlap-add resynthesis of one excerpt, as `listen` of the detector."""

    def __init__(self, transform: Transform, spread: Tensor) -> None:
        super().__init__()
        self.transform = transform
        self.register_buffer("spread", spread, persistent=False)

    spread: Tensor

    def forward(self, samples: Tensor, mask: Tensor, outside_gain: Tensor) -> Tensor:
        """`audio` `[B, N]`: `samples` `[B, N]` inside `mask` `[B, T, M]`; times `outside_gain` `[B, 1]` outside."""
        inside = mask @ self.spread
        gain = inside + (1 - inside) * outside_gain.unsqueeze(-1)
        return self.transform.sound(self.transform.spectrum(samples) * gain.unsqueeze(1))


def composed(trained: Trained, *, suffix: str = "") -> Listener:
    """What models of a bundle are composed of."""
    return Listener(
        trained.name,
        network=trained.name,
        frontend=f"frontend{suffix}",
        suffix=suffix,
        picture=trained.picture,
        samples=trained.samples,
        answers=trained.answers,
    )


def adopted_frontend_graph(trained: Trained, listener: Listener) -> Graph:
    """The description of its front-end; its parameters tell serving what an excerpt is."""
    parameters = trained.parameters
    return Graph(
        listener.frontend,
        AdoptedFrontend(parameters),
        (listener.sound("samples"),),
        listener.maps("log_mel", "standardised"),
        (torch.zeros(2, listener.samples),),
        parameters={
            "sample_rate_hz": str(parameters.sample_rate_hz),
            "frame_samples": str(parameters.fft_samples),
            "hop_samples": str(parameters.hop_samples),
            "excerpt_frames": str(trained.frames),
            "excerpt_samples": str(trained.samples),
            "band_centre_hz": ",".join(f"{hz:.3f}" for hz in edges_hz(parameters)[1:-1]),
        },
    )


def adopted_network_graph(trained: Trained, listener: Listener) -> Graph:
    """The description of the network."""
    layers = trained.layers()
    return Graph(
        listener.network,
        AdoptedNetwork(trained),
        listener.maps("excerpt"),
        (
            *(TensorSpec(name, shape) for name, shape in layers.items()),
            *listener.probabilities(LOG_ODDS, "probability"),
        ),
        (torch.zeros(2, *listener.picture),),
        parameters={"layers": ",".join(layers)} if layers else {},
    )


def label_masker_graph(masker: LabelMasker, trained: Trained, seen: tuple[str, ...], listener: Listener) -> Graph:
    """The description of the rule `masker`; `seen` are the layers it looks at, deepest first.

    Raises:
        ExportError: see `derived_gradient`.
    """
    shapes = trained.layers()
    return Graph(
        listener.model("masker"),
        MaskerGraph(masker, trained),
        (*listener.maps("excerpt"), *ASKED, *(TensorSpec(name, shapes[name]) for name in seen)),
        listener.maps("relevance"),
        (
            torch.zeros(2, *listener.picture),
            *(torch.zeros(2, 1, dtype=torch.int32) for _ in ASKED),
            *(torch.zeros(2, *shapes[name]) for name in seen),
        ),
    )


def transform_of(trained: Trained) -> Transform:
    """The transform of one excerpt, there and back."""
    return Transform(window_of(trained.parameters), trained.parameters.hop_samples, trained.frames)


def spread_of(parameters: FrontendParameters) -> Tensor:
    """`[M, bins]` each bin as a mean of the bands that hear it; all zero for a bin no band hears."""
    weights = filters_of(parameters).T
    total = weights.sum(axis=0)
    return torch.from_numpy(weights / np.where(total > 0, total, 1)).float()


def adopted_listen_graph(trained: Trained, listener: Listener) -> Graph:
    """The description of `listen`."""
    return Graph(
        listener.model("listen"),
        AdoptedListen(transform_of(trained), spread_of(trained.parameters)),
        (listener.sound("samples"), *listener.maps("mask"), *numbers("outside_gain")),
        (listener.sound("audio"),),
        (torch.zeros(2, listener.samples), torch.zeros(2, *listener.picture), torch.ones(2, 1)),
    )
