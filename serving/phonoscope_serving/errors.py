"""The service's exceptions.

    ServingError
    ├── BundleError       the model repository is incomplete, altered or inconsistent
    ├── OptionsError      the service was started with options that cannot work
    └── RequestError      one call cannot be answered; the service carries on
        ├── InvalidRequest     fields are missing or outside their range
        ├── OutOfRange         a position lies outside the recording
        ├── NotInBundle        the bundle that is served holds nothing for it
        ├── QueueFull          too much work is waiting
        ├── DeadlinePassed     the caller's deadline passed, or too little of it is left
        ├── Unauthenticated    the bearer token is missing or wrong
        ├── EngineFailed       the engine could not run what it was given
        │   └── NotProven      what would be run does not compute the bundle's golden vectors
        └── EngineLost         the engine has stopped, or its server is away

`service/status.py` gives each `RequestError` its gRPC status; nothing else knows about status codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SHOWN_CHARACTERS = 40  # of a name that is none of the bundle's


class ServingError(Exception):
    """What an operator or a caller can do something about."""


class BundleError(ServingError):
    """The model repository is incomplete, altered or inconsistent; the message names the file."""


class OptionsError(ServingError):
    """The service was started with options that cannot work."""


class RequestError(ServingError):
    """One call cannot be answered; the service carries on."""


@dataclass(frozen=True)
class Violation:
    """One field that broke one rule."""

    field: str  # path from the request's root, such as "audio.pcm.samples"
    description: str  # what is wrong, with the limit


class InvalidRequest(RequestError):  # noqa: N818 - named for what the caller reads, as google.rpc does
    """Fields are missing or outside their range.

    Attributes:
        violations: every field that is wrong, at least one.
    """

    def __init__(self, violations: Sequence[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__("; ".join(f"{v.field}: {v.description}" for v in self.violations))

    @classmethod
    def at(cls, field: str, description: str) -> InvalidRequest:
        """One field, one violation."""
        return cls([Violation(field, description)])


class OutOfRange(RequestError):  # noqa: N818 - named as its status code is
    """A position lies outside the recording.

    Attributes:
        violation: the field, and the range it had to be in.
    """

    def __init__(self, field: str, description: str) -> None:
        self.violation = Violation(field, description)
        super().__init__(f"{field}: {description}")


class NotInBundle(RequestError):  # noqa: N818 - a state, not a defect
    """The bundle that is served holds nothing for what is asked; another bundle might."""


class QueueFull(RequestError):  # noqa: N818 - a state, not a defect
    """Too much work is waiting.

    Attributes:
        retry_after_s: when there should be room again, in seconds.
        reason: what of there is too much, as metrics name it.
    """

    def __init__(self, message: str, retry_after_s: float, reason: str = "queue") -> None:
        self.retry_after_s, self.reason = retry_after_s, reason
        super().__init__(message)


class DeadlinePassed(RequestError):  # noqa: N818 - a state, not a defect
    """The caller's deadline passed, or too little of it is left to start."""


class Unauthenticated(RequestError):  # noqa: N818 - named as its status code is
    """The bearer token is missing or wrong."""


class EngineFailed(RequestError):  # noqa: N818 - a state, not a defect
    """The engine could not run what it was given: a defect of the bundle or the service."""


class NotProven(EngineFailed):
    """What would be run does not compute the bundle's golden vectors: nothing of the kind is answered."""


class EngineLost(RequestError):  # noqa: N818 - a state, not a defect
    """The engine has stopped, has not started, or has lost the server that runs the models."""


def shown(name: str) -> str:
    """A caller's name as a message shows it: quoted, and no longer than a line can bear."""
    return repr(name[:SHOWN_CHARACTERS])
