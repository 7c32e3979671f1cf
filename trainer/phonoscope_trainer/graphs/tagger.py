"""`tagger` on one excerpt with its layers as outputs: a network of several labels, of which one is the answer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from phonoscope_trainer.graphs.description import Graph, TensorSpec
from phonoscope_trainer.graphs.exchange import LN_FLOOR
from phonoscope_trainer.graphs.listener import Listener
from phonoscope_trainer.networks.tagger import Tagger

ABOVE = 1e-3  # of the floor: what is no louder is silence


class LogOdds(nn.Module):
    """The natural logarithm of each label's probability over that of all others together."""

    def __init__(self, network: Tagger) -> None:
        super().__init__()
        self.network = network

    def forward(self, excerpt: Tensor) -> Tensor:
        """`[B, K]` of the magnitude `excerpt` `[B, T, F]`."""
        return log_odds(self.network(excerpt))


def log_odds(logits: Tensor) -> Tensor:
    """`[B, K]` of `logits` `[B, K]`: each less the logarithm of the summed exponentials of the others."""
    labels = logits.shape[1]
    others = [[other for other in range(labels) if other != label] for label in range(labels)]
    rest = torch.stack([torch.logsumexp(logits[:, numbers], dim=1) for numbers in others], dim=1)
    return logits - rest


class TaggerGraph(nn.Module):
    """The tagger, its pooled maps and its hidden layer visible."""

    def __init__(self, network: Tagger) -> None:
        super().__init__()
        self.network = network

    def forward(self, excerpt: Tensor) -> tuple[Tensor, ...]:
        """Each layer, `log_odds` and `probability` `[B, K]` of the magnitude `excerpt` `[B, T, F]`."""
        found, logits = self.network.activations(excerpt)
        return (*found.values(), log_odds(logits), torch.softmax(logits, dim=1))


class Given(nn.Module):
    """What the tagger is given, of the logarithm of it: silence is silence."""

    def forward(self, log_mel: Tensor) -> Tensor:
        """Linear magnitudes."""
        return torch.where(log_mel > LN_FLOOR + ABOVE, torch.exp(log_mel), 0.0)


@torch.no_grad()
def tagger_graph(network: Tagger, listener: Listener) -> Graph:
    """The description of `tagger`."""
    excerpt = torch.zeros(2, *listener.picture)
    found, _ = network.activations(excerpt)
    layers = tuple(TensorSpec(name, tuple(layer.shape[1:])) for name, layer in found.items())
    return Graph(
        listener.network,
        TaggerGraph(network),
        listener.maps("excerpt"),
        (*layers, *listener.probabilities("log_odds", "probability")),
        (excerpt,),
        parameters={"layers": ",".join(found)},
    )
