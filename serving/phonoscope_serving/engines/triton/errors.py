"""A Triton server's errors as the service's own; nothing else knows Triton's texts and statuses."""

from __future__ import annotations

from tritonclient.utils import InferenceServerException

from phonoscope_serving.errors import DeadlinePassed, EngineFailed, EngineLost, QueueFull, RequestError

LEAST_RETRY_S = 0.05
# Triton gives all of these the status UNAVAILABLE; only the text tells them apart.
QUEUE_IS_FULL = "Exceeds maximum queue size"
QUEUE_TIMED_OUT = "Request timeout expired"
REGION_IS_GONE = "Unable to find shared memory region"


def domain_error(
    error: InferenceServerException, model: str, address: str, retry_after_s: float = LEAST_RETRY_S
) -> RequestError:
    """The service's own error for one of the server's.

    Args:
        error: as the server's client raised it.
        model: what was called.
        address: the server's, for the message.
        retry_after_s: when another request may find a place in the queue, should it be full.
    """
    message, status = str(error.message()), str(error.status()).removeprefix("StatusCode.")
    if status == "DEADLINE_EXCEEDED" or QUEUE_TIMED_OUT in message:
        return DeadlinePassed(f"the deadline passed while {model} was waited for")
    if QUEUE_IS_FULL in message:
        return QueueFull(f"the Triton server's queue for {model} is full", retry_after_s)
    if status in ("UNAVAILABLE", "CANCELLED", "NOT_FOUND"):
        return lost(address, f"cannot run {model} now: {message}")
    return EngineFailed(f"{model} could not be run: {message}")


def lost(address: str, what: str) -> EngineLost:
    """The error that says what is wrong with the server as a whole."""
    return EngineLost(f"the Triton server at {address} {what}")


def is_missing_model(error: InferenceServerException) -> bool:
    """Whether the server has no such model."""
    return bool(error.status() == "StatusCode.NOT_FOUND")


def is_missing_region(error: InferenceServerException) -> bool:
    """Whether the server does not know the shared memory it was pointed to, as after a restart."""
    return REGION_IS_GONE in str(error.message())
