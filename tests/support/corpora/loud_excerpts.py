"""Training batches in which the label is whether the excerpt is loud."""

from __future__ import annotations

import torch


def draw(step: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Four excerpts of noise, the loud ones labelled."""
    generator = torch.Generator().manual_seed(step)
    labels = (torch.rand(4, 1, generator=generator) < 0.5).float()
    return torch.randn(4, 115, 80, generator=generator) + 2 * labels[:, :, None], labels
