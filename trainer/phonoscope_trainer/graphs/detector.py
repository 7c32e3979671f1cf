"""`detector` on one excerpt with every layer as an output, and `track_detector` at every frame of a track."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from phonoscope_trainer.networks.svdnet import LAYERS, SVDNet


class DetectorGraph(nn.Module):
    """SVDNet, all of it visible."""

    def __init__(self, network: SVDNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, excerpt: Tensor) -> tuple[Tensor, ...]:
        """Each layer, `logit` `[B, 1]` and `probability` `[B, 1]` of the standardised `excerpt` `[B, 115, 80]`."""
        activations = self.network.activations(excerpt)
        logit = activations["logit"]
        return (*(activations[layer] for layer in LAYERS), logit, torch.sigmoid(logit))


class TrackGraph(nn.Module):
    """SVDNet at every frame in one pass; silence can be put around what it is given."""

    silence: Tensor

    def __init__(self, network: SVDNet, silence: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("silence", silence, persistent=False)  # [1, 1, M], standardised

    def forward(self, standardised: Tensor, silence_before: Tensor, silence_after: Tensor) -> Tensor:
        """`probability` `[1, T']` of `standardised` `[1, T, M]`.

        T' = silence_before + T + silence_after - 114: the frames with 57 neighbours on either side. Both counts are
        int64 `[1, 1]`.
        """
        before, after = (
            self.silence.expand(1, int(count.reshape(()).item()), -1) for count in (silence_before, silence_after)
        )
        padded = torch.cat([before, standardised, after], dim=1)
        return torch.sigmoid(self.network(padded, every_frame=True))
