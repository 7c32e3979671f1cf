"""`frontend`: samples to log-mel, raw and standardised."""

from __future__ import annotations

from torch import Tensor, nn

from phonoscope_trainer.frontend import Frontend
from phonoscope_trainer.networks.standardise import Standardise


class FrontendGraph(nn.Module):
    """The training front-end and the detector's standardisation."""

    def __init__(self, frontend: Frontend, standardise: Standardise) -> None:
        super().__init__()
        self.frontend, self.standardise = frontend, standardise

    def forward(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """`log_mel` and `standardised`, both `[B, T, M]`, of `samples` `[B, N]`."""
        log_mel = self.frontend(samples)
        return log_mel, self.standardise(log_mel)
