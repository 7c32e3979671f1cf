"""What an error tells its caller, and how much room it takes: clients refuse more than 8 KiB of trailing metadata."""

import grpc
import pytest
from google.rpc import error_details_pb2
from phonoscope_serving import errors
from phonoscope_serving.service.status import code_of, status_of

MOST_BYTES = 4096
LONG = "x" * 100_000


def details(status, kind):
    for detail in status.details:
        message = kind()
        if detail.Unpack(message):
            return message
    return None


@pytest.mark.parametrize(
    "error",
    [
        errors.InvalidRequest([errors.Violation(f"features[{number}]", "is wrong, " * 9) for number in range(64)]),
        errors.InvalidRequest([errors.Violation(LONG, LONG)]),
        errors.InvalidRequest.at("audio", "ü€🎵" * 10_000),
        errors.OutOfRange(LONG, LONG),
        errors.QueueFull(LONG, 1.0),
        errors.EngineLost(LONG),
        errors.EngineFailed(LONG),
        MemoryError(LONG),
        RuntimeError(LONG),
    ],
    ids=lambda error: type(error).__name__,
)
def test_attack_a_status_is_small_however_much_is_wrong(error):
    status = status_of(error, "r" * 128)
    encoded = "".join(letter if letter.isascii() else "%XX" * len(letter.encode()) for letter in status.message)
    assert status.ByteSize() + len(encoded) <= MOST_BYTES
    assert details(status, error_details_pb2.RequestInfo).request_id == "r" * 128


def test_attack_what_does_not_fit_is_counted():
    wrong = [errors.Violation(f"features[{number}]", "is wrong, " * 9) for number in range(64)]
    told = details(status_of(errors.InvalidRequest(wrong), ""), error_details_pb2.BadRequest).field_violations
    assert 1 < len(told) < 64
    assert [each.field for each in told] == [each.field for each in wrong[: len(told)]]
    assert f"{64 - len(told)} more are" in told[-1].description


def test_attack_memory_that_does_not_suffice_is_no_defect_and_may_suffice_later():
    status = status_of(MemoryError(), "id")
    assert code_of(MemoryError()) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert details(status, error_details_pb2.RetryInfo).retry_delay.ToMilliseconds() > 0
    assert status.message == "there is not enough memory for it"
