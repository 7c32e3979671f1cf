"""A listener as the trainer knows it: any network on pictures of sound, with its front-end, labels and decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.frontends.parameters import FrontendParameters
from phonoscope_trainer.frontends.parametric import Bands, Picture

Decision = Literal["binary", "multi-class", "multi-label"]
LOG_ODDS = "log_odds"  # what a network's last activation is called


class Layered(nn.Module):
    """A network that can be asked for its layers: any torch module, by the names of what it consists of.

    Args:
        network: pictures `[B, T, M]` to `[B, K]`, in evaluation mode.
        layers: names of its modules, first to last; their outputs are what is shown.
        channel: whether the network wants its pictures as `[B, 1, T, M]`.
    """

    def __init__(self, network: nn.Module, layers: tuple[str, ...], *, channel: bool = False) -> None:
        super().__init__()
        self.network, self.layers, self.channel = network, layers, channel
        known = dict(network.named_modules())
        if absent := [name for name in layers if name not in known]:
            raise OptionsError(f"layers: the network has no {absent[0]!r}; it has {', '.join(filter(None, known))}")

    def activations(self, excerpt: Tensor) -> dict[str, Tensor]:
        """Each of the layers, and `log_odds` `[B, K]`, of `excerpt` `[B, T, M]`."""
        found: dict[str, Tensor] = {}

        def keep(name: str, output: Tensor) -> None:
            found[name] = output

        hooks = [
            self.network.get_submodule(name).register_forward_hook(lambda _m, _i, output, name=name: keep(name, output))
            for name in self.layers
        ]
        try:
            answer = self.network(excerpt.unsqueeze(1) if self.channel else excerpt)
        finally:
            for hook in hooks:
                hook.remove()
        return found | {LOG_ODDS: answer}

    def forward(self, excerpt: Tensor) -> Tensor:
        """`[B, K]`."""
        answer: Tensor = self.network(excerpt.unsqueeze(1) if self.channel else excerpt)
        return answer


@dataclass(frozen=True, slots=True)
class Listener:
    """A network that hears pictures, and all that belongs to it."""

    name: str
    parameters: FrontendParameters
    frames: int  # of one excerpt
    network: nn.Module  # pictures `[B, T, M]` to `[B, K]`; its `activations` are its layers, then `log_odds`
    labels: tuple[str, ...]
    decision: Decision
    thresholds: tuple[float, ...] = ()  # probabilities from which on a label is given, one a label of `multi-label`

    def __post_init__(self) -> None:
        if self.decision == "binary" and len(self.labels) != 2:
            raise OptionsError(f"labels: a binary decision has two, not {len(self.labels)}")
        if self.decision == "multi-label" and len(self.thresholds) != len(self.labels):
            raise OptionsError(f"thresholds: there are {len(self.thresholds)}, and {len(self.labels)} labels")
        if not all(0 < each < 1 for each in self.thresholds):
            raise OptionsError("thresholds must lie between 0 and 1")

    @property
    def picture(self) -> tuple[int, int]:
        """Frames and bands of one excerpt."""
        return self.frames, self.parameters.bands

    @property
    def samples(self) -> int:
        """Samples of one excerpt."""
        return self.parameters.samples_of(self.frames)

    @property
    def answers(self) -> int:
        """K: how many numbers the network answers with."""
        return 1 if self.decision == "binary" else len(self.labels)

    @property
    def bands(self) -> Bands:
        """Samples to log-mel."""
        return Bands(self.parameters)

    @property
    def standardise(self) -> Picture:
        """Log-mel to what the network is given."""
        return Picture(self.parameters)

    @property
    def threshold_logits(self) -> Tensor:
        """`[K]` the log-odds from which on a label is given; zeros where the largest answer decides."""
        if not self.thresholds:
            return torch.zeros(self.answers)
        return torch.logit(torch.tensor(self.thresholds, dtype=torch.float32))

    @torch.no_grad()
    def layers(self) -> Mapping[str, tuple[int, ...]]:
        """Layer → the shape of its activation without the batch axis, first to last."""
        found = self.network.activations(torch.zeros(2, *self.picture))  # type: ignore[operator]  # Layered, or alike
        return {name: tuple(value.shape[1:]) for name, value in found.items() if name != LOG_ODDS}
