"""`asked_label`: the label that an explanation is about: the one asked for, or else the one that is predicted."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from phonoscope_trainer.graphs.description import Graph, TensorSpec
from phonoscope_trainer.graphs.listener import Listener

PREDICTED = -1  # asks for the label that is predicted


class AnsweredLabel(nn.Module):
    """A listener's decision, where nobody names a label.

    Args:
        answers: K; 1 where there are two labels.
        thresholds: of the first of two labels, or of each of more, of which the one furthest above its own is the
            answer; none where the most probable is.
    """

    odds: Tensor

    def __init__(self, answers: int, thresholds: Sequence[float] = ()) -> None:
        super().__init__()
        self.answers = answers
        least = torch.tensor([*thresholds]) if thresholds else torch.full((answers,), 0.5)
        self.register_buffer("odds", torch.logit(least), persistent=False)

    def forward(self, probability: Tensor, label: Tensor) -> Tensor:
        """`asked` int32 `[B, 1]`, of `probability` `[B, K]` and `label` int32 `[B, 1]`, −1 where none is named."""
        margin = torch.log(probability) - torch.log1p(-probability) - self.odds
        found = margin.argmax(dim=1, keepdim=True) if self.answers > 1 else (margin < 0).long()
        return torch.where(label == PREDICTED, found.to(torch.int32), label)


def asked_label_graph(listener: Listener, thresholds: Sequence[float] = ()) -> Graph:
    """The description of `asked_label`; see `AnsweredLabel`."""
    return Graph(
        listener.model("asked_label"),
        AnsweredLabel(listener.answers, thresholds),
        (*listener.probabilities("probability"), TensorSpec("label", (1,), "int32")),
        (TensorSpec("asked", (1,), "int32"),),
        (torch.full((2, listener.answers), 0.5), torch.zeros(2, 1, dtype=torch.int32)),
    )
