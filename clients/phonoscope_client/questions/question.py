"""A question to a service: which RPC is asked what, and how its answer is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

Result = TypeVar("Result")
Made_co = TypeVar("Made_co", covariant=True)


@dataclass(frozen=True)
class Question(Generic[Result]):
    """What is answered by one message.

    Attributes:
        method: name of the RPC.
        request: its message.
        read: makes the answer of it a result.
    """

    method: str
    request: Any
    read: Callable[[Any], Result]


class Reading(Protocol[Made_co]):
    """An answer of several messages, as it is read."""

    def take(self, message: Any, /) -> None:  # noqa: ANN401 - protobuf
        """Takes the next message."""
        ...

    def result(self) -> Made_co:
        """What they make, once the last was taken.

        Raises:
            ServiceError: they break the contract.
        """
        ...


@dataclass(frozen=True)
class StreamQuestion(Generic[Result]):
    """What is answered by several messages, which make one result.

    Attributes:
        method: name of the RPC.
        request: its message.
        begin: begins to read an answer.
    """

    method: str
    request: Any
    begin: Callable[[], Reading[Result]]
