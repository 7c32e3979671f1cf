"""A contract's network, or its translation, where a listener's network is expected."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from phonoscope_trainer.networks.listener import LOG_ODDS, Decision

PROBABILITY = "probability"


class AsNetwork(nn.Module):
    """A contract's network, or its translation, as rules and measurements know networks.

    Where one of several labels is right the contract's answers are log-odds, and a listener's network answers with what
    a softmax is taken of: the logarithms of the probabilities are that, whatever it was before.
    """

    def __init__(self, whole: nn.Module, names: tuple[str, ...], decision: Decision) -> None:
        super().__init__()
        self.whole, self.names, self.decision = whole, names, decision

    def activations(self, excerpt: Tensor) -> dict[str, Tensor]:
        """Layers, then `log_odds`."""
        found = dict(zip(self.names, self.whole(excerpt), strict=True))
        answer = found.pop(LOG_ODDS)
        layers = {name: value for name, value in found.items() if name != PROBABILITY}
        return layers | {LOG_ODDS: F.logsigmoid(answer) if self.decision == "multi-class" else answer}

    def forward(self, excerpt: Tensor) -> Tensor:
        """`log_odds` `[B, K]`."""
        return self.activations(excerpt)[LOG_ODDS]
