"""What went wrong, in words with what to do: the one place where an exception becomes an answer."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from phonoscope_client.errors import (
    BusyError,
    DeadlineExceededError,
    InvalidInputError,
    MissingExtraError,
    NotInBundleError,
    PhonoscopeError,
    UnauthenticatedError,
    UnavailableError,
)

LEFT = 499
_GONE_RETRY_S = 2.0  # a service that is started again takes some seconds
_LEAST_RETRY_S = 0.2
_BUSY = "The service is busy with other questions."
_GONE = "The service does not answer; it may be starting again."
_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (InvalidInputError, 400),
    (NotInBundleError, 422),
    (BusyError, 503),
    (UnavailableError, 503),
    (DeadlineExceededError, 504),
    (UnauthenticatedError, 502),
    (MissingExtraError, 501),
    (PhonoscopeError, 502),
)


def told(status: int, message: str, *, field: str | None = None, retry_after_s: float | None = None) -> JSONResponse:
    """An answer that says what went wrong."""
    headers = {} if retry_after_s is None else {"retry-after": str(max(1, round(retry_after_s)))}
    return JSONResponse({"error": in_words(message, field, retry_after_s)}, status, headers)


def in_words(message: str, field: str | None = None, retry_after_s: float | None = None) -> dict[str, Any]:
    """What went wrong, as JSON."""
    return {"message": message, "field": field, "retry_after_s": retry_after_s}


def described(error: PhonoscopeError) -> dict[str, Any]:
    """What went wrong with a question to the service, as JSON."""
    match error:
        case BusyError():
            return in_words(_BUSY, None, max(_LEAST_RETRY_S, error.retry_after_s))
        case UnavailableError():
            return in_words(_GONE, None, _GONE_RETRY_S)
        case UnauthenticatedError():
            return in_words(f"{error}. Start the studio again with PHONOSCOPE_TOKEN set to the service's token.")
        case DeadlineExceededError():
            return in_words(f"{error}. Ask again, or start the studio with a longer --timeout-s.")
        case InvalidInputError():
            fields = [each.field for each in error.violations]
            return in_words(str(error), fields[0] if fields else None)
        case _:
            return in_words(str(error))


async def answer_error(_: Request, error: Exception) -> JSONResponse:
    """The answer to a question that the service refused."""
    assert isinstance(error, PhonoscopeError)
    status = next(status for kind, status in _STATUS if isinstance(error, kind))
    said = described(error)
    return told(status, said["message"], field=said["field"], retry_after_s=said["retry_after_s"])


async def answer_left(_: Request, __: Exception) -> JSONResponse:
    """The answer to a page that left while it sent something, which nobody reads."""
    return told(LEFT, "The page has left.")


async def answer_http(_: Request, error: Exception) -> JSONResponse:
    """The answer to what the page should not have asked."""
    assert isinstance(error, HTTPException)
    return told(error.status_code, error.detail)
