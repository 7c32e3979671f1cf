"""What a listener says of each of its labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from phonoscope.v1 import label_pb2, prediction_pb2

from phonoscope_serving.bundle.listeners.decision import Decision
from phonoscope_serving.tensors import Floats


@dataclass(frozen=True)
class LabelAnswer:
    """What a listener says of one label."""

    probability: float  # in [0, 1]
    log_odds: float  # natural logarithm of that over all else


def label_answers(decision: Decision, probability: Floats) -> dict[str, LabelAnswer]:
    """Of every label, what `probability` `[K]` says."""
    shares, odds = decision.of_labels(probability), decision.log_odds(probability)
    return {
        label: LabelAnswer(float(share), float(log_odds))
        for label, share, log_odds in zip(decision.labels, shares, odds, strict=True)
    }


def label_messages(labels: Mapping[str, LabelAnswer]) -> list[label_pb2.LabelProbability]:
    """The same as messages of the contract."""
    return [
        label_pb2.LabelProbability(label=label, probability=said.probability, log_odds=said.log_odds)
        for label, said in labels.items()
    ]


def label_curves(decision: Decision, probability: Floats) -> list[prediction_pb2.LabelCurve]:
    """Of every label, what a curve `[N, K]` says; none where there are two, of which one curve says all."""
    if decision.kind == "binary":
        return []
    odds = decision.log_odds(probability)
    return [
        prediction_pb2.LabelCurve(
            label=label, probability=probability[:, number].tolist(), log_odds=odds[:, number].tolist()
        )
        for number, label in enumerate(decision.labels)
    ]
