"""The service's errors as gRPC statuses with google.rpc details, and as the log tells them: not in a caller's words.

It is the only place that knows status codes.
"""

from __future__ import annotations

import logging
import traceback

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from phonoscope_serving import errors

DETAILS_KEY = "grpc-status-details-bin"
# All of them fit into 4 KiB: clients take no more than 8 KiB of trailing metadata.
MESSAGE_BYTES = 512  # of a message; encoded, beside itself in the details, it may take three times the room
FIELD_BYTES, DESCRIPTION_BYTES, VIOLATIONS_BYTES = 128, 512, 1408  # of one violation, and of all together
RETRY_S = 1.0  # after the memory did not suffice

CODES: dict[type[Exception], grpc.StatusCode] = {
    errors.InvalidRequest: grpc.StatusCode.INVALID_ARGUMENT,
    errors.OutOfRange: grpc.StatusCode.OUT_OF_RANGE,
    errors.NotInBundle: grpc.StatusCode.FAILED_PRECONDITION,
    errors.QueueFull: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.DeadlinePassed: grpc.StatusCode.DEADLINE_EXCEEDED,
    errors.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    errors.EngineFailed: grpc.StatusCode.INTERNAL,
    errors.NotProven: grpc.StatusCode.INTERNAL,
    errors.EngineLost: grpc.StatusCode.UNAVAILABLE,
    MemoryError: grpc.StatusCode.RESOURCE_EXHAUSTED,
}


def code_of(error: Exception) -> grpc.StatusCode:
    """The status code of an error; whatever nobody foresaw is INTERNAL."""
    return CODES.get(type(error), grpc.StatusCode.INTERNAL)


def status_of(error: Exception, request_id: str) -> status_pb2.Status:
    """The google.rpc.Status of an error.

    Args:
        error: what was raised.
        request_id: goes into RequestInfo, so that a report leads to the log.
    """
    code = code_of(error)
    # What went wrong inside is the log's to tell, not the caller's; but a failed proof tells that no call will help.
    is_told = code is not grpc.StatusCode.INTERNAL or isinstance(error, errors.NotProven)
    message = _message(error) if is_told else f"a defect; report request {request_id}"
    status = status_pb2.Status(code=code.value[0], message=message)
    for detail in (*_details(error), error_details_pb2.RequestInfo(request_id=request_id)):
        status.details.add().Pack(detail)
    return status


def logged(error: Exception) -> str:
    """What the log says of an error: not in the words of its caller, whom the message may quote."""
    match error:
        case errors.InvalidRequest(violations=violations):
            return _cut(", ".join(violation.field for violation in violations), MESSAGE_BYTES)
        case errors.OutOfRange(violation=violation):
            return violation.field
        case errors.NotInBundle():
            return ""
    return _message(error)


def log_defect(log: logging.Logger, method: str, error: Exception) -> None:
    """Tells whoever mends it where something went wrong, and in what way; words that may be a caller's, at debug alone.

    Args:
        log: where to.
        method: of the call.
        error: what was raised, with its traceback.
    """
    told: list[str] = []
    each: BaseException | None = error
    while each is not None:
        words = f": {each}" if isinstance(each, errors.ServingError) else ""
        told.append("".join([*traceback.format_tb(each.__traceback__), type(each).__name__, words]))
        each = each.__cause__ or each.__context__
    log.error("%s failed", method, extra={"raised": "\n".join(reversed(told))})
    log.debug("%s failed with", method, exc_info=error)


def _message(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "there is not enough memory for it"
    return _cut(str(error), MESSAGE_BYTES)


def _cut(text: str, most_bytes: int) -> str:
    cut = text.encode(errors="replace")[:most_bytes].decode(errors="ignore")
    return text if cut == text else f"{cut} …"


def _details(error: Exception) -> tuple[Message, ...]:
    match error:
        case errors.InvalidRequest(violations=violations):
            return (_bad_request(*violations),)
        case errors.OutOfRange(violation=violation):
            return (_bad_request(violation),)
        case errors.QueueFull(retry_after_s=seconds):
            return (_retry_info(seconds),)
        case MemoryError():
            return (_retry_info(RETRY_S),)
    return ()


def _retry_info(seconds: float) -> Message:
    delay = Duration()
    delay.FromMilliseconds(round(seconds * 1000))
    info: Message = error_details_pb2.RetryInfo(retry_delay=delay)
    return info


def _bad_request(*violations: errors.Violation) -> Message:
    """Every violation, or as many as fit and how many more there are."""
    request = error_details_pb2.BadRequest()
    for number, violation in enumerate(violations):
        field, description = _cut(violation.field, FIELD_BYTES), _cut(violation.description, DESCRIPTION_BYTES)
        request.field_violations.add(field=field, description=description)
        if request.ByteSize() > VIOLATIONS_BYTES:
            more = len(violations) - number - 1
            request.field_violations[-1].description = f"is wrong, and {more} more are"
            break
    told: Message = request
    return told
