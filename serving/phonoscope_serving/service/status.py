"""The service's errors as gRPC statuses with google.rpc details; the only place that knows status codes."""

from __future__ import annotations

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from phonoscope_serving import errors

DETAILS_KEY = "grpc-status-details-bin"

CODES: dict[type[errors.RequestError], grpc.StatusCode] = {
    errors.InvalidRequest: grpc.StatusCode.INVALID_ARGUMENT,
    errors.OutOfRange: grpc.StatusCode.OUT_OF_RANGE,
    errors.NotInBundle: grpc.StatusCode.FAILED_PRECONDITION,
    errors.QueueFull: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.DeadlinePassed: grpc.StatusCode.DEADLINE_EXCEEDED,
    errors.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    errors.EngineFailed: grpc.StatusCode.INTERNAL,
    errors.EngineLost: grpc.StatusCode.UNAVAILABLE,
}


def code_of(error: Exception) -> grpc.StatusCode:
    """The status code of an error; whatever nobody foresaw is INTERNAL."""
    return (
        CODES.get(type(error), grpc.StatusCode.INTERNAL)
        if isinstance(error, errors.RequestError)
        else (grpc.StatusCode.INTERNAL)
    )


def status_of(error: Exception, request_id: str) -> status_pb2.Status:
    """The google.rpc.Status of an error.

    Args:
        error: what was raised.
        request_id: goes into RequestInfo, so that a report leads to the log.
    """
    code = code_of(error)
    # What went wrong inside is the log's to tell, not the caller's.
    message = str(error) if code is not grpc.StatusCode.INTERNAL else f"a defect; report request {request_id}"
    status = status_pb2.Status(code=code.value[0], message=message)
    for detail in (*_details(error), error_details_pb2.RequestInfo(request_id=request_id)):
        status.details.add().Pack(detail)
    return status


def _details(error: Exception) -> tuple[Message, ...]:
    match error:
        case errors.InvalidRequest(violations=violations):
            return (_bad_request(*violations),)
        case errors.OutOfRange(violation=violation):
            return (_bad_request(violation),)
        case errors.QueueFull(retry_after_s=seconds):
            delay = Duration()
            delay.FromMilliseconds(round(seconds * 1000))
            return (error_details_pb2.RetryInfo(retry_delay=delay),)
    return ()


def _bad_request(*violations: errors.Violation) -> Message:
    fields = [error_details_pb2.BadRequest.FieldViolation(field=v.field, description=v.description) for v in violations]
    request: Message = error_details_pb2.BadRequest(field_violations=fields)
    return request
