"""Which label an explanation is about, as a graph is told it: by number, and perhaps rather than another."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from phonoscope_trainer.graphs.description import TensorSpec

NO_CONTRAST = -1
ASKED = (TensorSpec("label", (1,), "int32"), TensorSpec("contrast", (1,), "int32"))  # inputs, in order


class AskedLabel(nn.Module):
    """Numbers of labels to the weights of a network's answers whose sum speaks for the label.

    Args:
        answers: K; 1 where two labels share one answer: its log-odds are those of label 0, and label 1's are the
            negative.
    """

    numbers: Tensor

    def __init__(self, answers: int) -> None:
        super().__init__()
        self.register_buffer("numbers", torch.arange(answers, dtype=torch.int32), persistent=False)

    def forward(self, label: Tensor, contrast: Tensor) -> Tensor:
        """`weights` `[B, K]`: 1 for the label and −1 for the contrast.

        Args:
            label: int32 `[B, 1]`, from 0.
            contrast: int32 `[B, 1]`: another label, or −1 for none.
        """
        if len(self.numbers) == 1:
            return 1.0 - 2.0 * label.to(torch.float32)
        return (label == self.numbers).float() - (contrast == self.numbers).float()
