"""Which listener, label and contrast a question is about, and what an answer says of labels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from phonoscope.v1 import label_pb2

from phonoscope_client import arguments
from phonoscope_client.errors import ServiceError
from phonoscope_client.messages.wire import LABELS, decimal
from phonoscope_client.results.parts import Label, LabelAnswer

DETECTOR = "detector"  # the listener of services of before, which do not name it


@dataclass(frozen=True)
class Choice:
    """What is asked of whom; None leaves it to the service."""

    listener: str | None = None
    label: Label | None = None
    contrast: Label | None = None

    def fields(self) -> dict[str, Any]:
        """The fields of a request.

        Raises:
            InvalidInputError: one is no text.
        """
        wanted = "a name that `describe` lists"
        return {name: arguments.text(name, value, wanted) for name, value in vars(self).items() if value is not None}


ASKED_OF_THE_FIRST = Choice()


def label_answers(messages: Iterable[label_pb2.LabelProbability]) -> dict[Label, LabelAnswer]:
    """What a listener says of each of its labels."""
    return {each.label: LabelAnswer(decimal(each.probability), decimal(each.log_odds)) for each in messages}


def label_of(message: Any) -> Label:  # noqa: ANN401 - any part of an answer that has these fields
    """What a part of an answer is called: by name, or, by services of before, by number.

    Raises:
        ServiceError: it has no label that is known here.
    """
    name: Label = message.label_name or LABELS.get(message.label, "")
    if not name:
        raise ServiceError("the service answered without a label this client knows")
    return name


def answered(response: Any) -> dict[str, Any]:  # noqa: ANN401 - any answer that has these fields
    """The listener of an answer, the label it is about, if any, its contrast, and what is said of each label."""
    return {
        "listener": response.listener or DETECTOR,
        "contrast": response.contrast or None,
        "labels": label_answers(response.labels),
    }
