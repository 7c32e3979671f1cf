"""The client's exceptions, and the one place where a gRPC status becomes one of them.

PhonoscopeError
├── InvalidInputError         what was asked for is malformed or outside a limit; names each field
│   └── OutOfRangeError       the moment lies outside the recording
├── BusyError                 the queue is full; says when to try again
├── DeadlineExceededError     the answer did not come in time
├── NotInBundleError          the bundle that is served holds nothing for what is asked
├── UnavailableError          no service could be reached or started
├── UnauthenticatedError      a bearer token is required and was not given or is wrong
├── MissingExtraError         pages and pictures need packages that are not installed; names the extra
└── ServiceError              a defect of the service; the request id finds it in its log
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import error_details_pb2
from grpc_status import rpc_status


class PhonoscopeError(Exception):
    """What a caller of Phonoscope can expect to go wrong.

    Attributes:
        request_id: what the service's log calls the request; None where none was sent.
    """

    def __init__(self, message: str, *, request_id: str | None = None) -> None:
        super().__init__(message)
        self.request_id = request_id

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message} (request {self.request_id})" if self.request_id else message


@dataclass(frozen=True)
class FieldViolation:
    """One field that was refused, and the limit it broke."""

    field: str
    description: str


class InvalidInputError(PhonoscopeError):
    """What was asked for is malformed or outside a limit.

    Attributes:
        violations: the refused fields, named as in the `.proto` files where the service refused them.
    """

    def __init__(
        self, message: str, *, violations: Iterable[FieldViolation] = (), request_id: str | None = None
    ) -> None:
        super().__init__(message, request_id=request_id)
        self.violations = tuple(violations)


class OutOfRangeError(InvalidInputError):
    """The moment lies outside the recording."""


class BusyError(PhonoscopeError):
    """The service's queue is full.

    Attributes:
        retry_after_s: seconds after which to try again.
    """

    def __init__(self, message: str, *, retry_after_s: float = 0.0, request_id: str | None = None) -> None:
        super().__init__(message, request_id=request_id)
        self.retry_after_s = retry_after_s


class DeadlineExceededError(PhonoscopeError):
    """The answer did not come in time."""


class NotInBundleError(PhonoscopeError):
    """The bundle that is served holds nothing for what is asked."""


class UnavailableError(PhonoscopeError):
    """No service could be reached or started."""


class UnauthenticatedError(PhonoscopeError):
    """A bearer token is required and was not given or is wrong."""


class MissingExtraError(PhonoscopeError, ImportError):
    """Pages and pictures need packages that are not installed."""


class ServiceError(PhonoscopeError):
    """A defect of the service."""


def invalid(field: str, description: str) -> InvalidInputError:
    """The error for one field that is refused before anything is sent."""
    return InvalidInputError(f"{field}: {description}", violations=[FieldViolation(field, description)])


_BY_STATUS: dict[grpc.StatusCode, type[PhonoscopeError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidInputError,
    grpc.StatusCode.OUT_OF_RANGE: OutOfRangeError,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceededError,
    grpc.StatusCode.FAILED_PRECONDITION: NotInBundleError,
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
    grpc.StatusCode.CANCELLED: UnavailableError,  # by the service: it stopped just as the call came in
    grpc.StatusCode.UNAUTHENTICATED: UnauthenticatedError,
}


def from_rpc_error(error: grpc.RpcError, *, request_id: str) -> PhonoscopeError:
    """Translate what gRPC raised into this package's exception, with the google.rpc details it carries.

    Args:
        error: as raised by a call on a stub.
        request_id: the one that was sent; the service's own, in google.rpc.RequestInfo, takes precedence.
    """
    details = _details(error)
    request_id = details.request_id or request_id
    message = error.details() or f"the service answered {error.code().name}"
    if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
        if details.retry_after_s is not None:
            return BusyError(message, retry_after_s=details.retry_after_s, request_id=request_id)
        # Without a retry hint the message itself was too large: trying again cannot help, sending less can.
        too_large = FieldViolation("audio", message)
        return InvalidInputError(message, violations=[too_large], request_id=request_id)
    kind = _BY_STATUS.get(error.code(), ServiceError)
    if issubclass(kind, InvalidInputError):
        return kind(message, violations=details.violations, request_id=request_id)
    return kind(message, request_id=request_id)


@dataclass
class _Details:
    """The google.rpc details this client understands; others are ignored."""

    violations: tuple[FieldViolation, ...] = ()
    retry_after_s: float | None = None
    request_id: str = ""

    def read(self, detail: AnyMessage) -> None:
        if detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            bad_request = error_details_pb2.BadRequest.FromString(detail.value)
            self.violations = tuple(
                FieldViolation(each.field, each.description) for each in bad_request.field_violations
            )
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            retry_info = error_details_pb2.RetryInfo.FromString(detail.value)
            self.retry_after_s = retry_info.retry_delay.ToTimedelta().total_seconds()
        elif detail.Is(error_details_pb2.RequestInfo.DESCRIPTOR):
            self.request_id = error_details_pb2.RequestInfo.FromString(detail.value).request_id


def _details(error: grpc.RpcError) -> _Details:
    found = _Details()
    try:
        status = rpc_status.from_call(error)
    except ValueError:  # a proxy rewrote the code or message: the details no longer describe this error
        return found
    for detail in status.details if status is not None else ():
        found.read(detail)
    return found
