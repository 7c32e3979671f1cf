"""What becomes of a file that is not answered at once. The client is a fake, which fails as a test wants it to."""

from contextlib import contextmanager

import pytest
from phonoscope_client.batch.asking import MOST_ATTEMPTS, Interrupted, answered
from phonoscope_client.batch.items import Item
from phonoscope_client.batch.question import CatalogueQuestion
from phonoscope_client.batch.service import LastingService
from phonoscope_client.errors import (
    BusyError,
    DeadlineExceededError,
    InvalidInputError,
    NotInBundleError,
    ServiceError,
    UnauthenticatedError,
    UnavailableError,
)

QUESTION = CatalogueQuestion(("curve",), {}, 60.0)
ITEM = Item("a.wav", "/music/a.wav", columns=(("genre", "folk"),))


class Failing:
    """A client whose calls fail, one after another, as it is told."""

    def __init__(self, failures, away=()):
        self.failures, self.away, self.opened = list(failures), list(away), 0

    def explain_track(self, path, **settings):
        raise self.failures.pop(0)

    def describe(self):
        if self.away:
            raise self.away.pop(0)


def asked(client, *, wait=lambda _: False, item=ITEM):
    @contextmanager
    def opens():
        client.opened += 1
        yield FreshView(client)

    with LastingService(opens, wait, patience_s=5.0) as service:
        return answered(item, QUESTION, service, wait)


class FreshView:
    """Each opening gives another client of the same service."""

    def __init__(self, client):
        self.explain_track, self.describe = client.explain_track, client.describe


def test_a_busy_service_is_asked_again_when_it_says_so_however_often():
    waited = []
    busy = [BusyError("busy", retry_after_s=number) for number in range(1, 61)]
    found = asked(Failing([*busy, InvalidInputError("bad")]), wait=waited.append)
    assert found.error["attempts"] == 1
    assert all(number <= seconds <= 1.25 * number for number, seconds in enumerate(waited, 1))
    assert len(waited) == 60


def test_a_job_that_is_to_end_waits_for_no_busy_service():
    with pytest.raises(Interrupted):
        asked(Failing([BusyError("busy", retry_after_s=9)]), wait=lambda _: True)


def test_a_file_during_which_the_service_keeps_going_away_is_an_error_that_may_be_retried():
    client = Failing([UnavailableError("gone")] * MOST_ATTEMPTS)
    found = asked(client)
    told = {name: found.error[name] for name in ("file", "stage", "status", "retryable", "attempts", "manifest_genre")}
    assert told == {
        "file": "a.wav",
        "stage": "service",
        "status": "UNAVAILABLE",
        "retryable": True,
        "attempts": MOST_ATTEMPTS,
        "manifest_genre": "folk",
    }
    assert client.opened == 1 + MOST_ATTEMPTS


def test_a_service_that_is_away_is_waited_for_and_one_that_stays_away_ends_the_job():
    waited = []
    gone = UnavailableError("gone")
    client = Failing([gone, InvalidInputError("bad")], away=[gone, gone])
    assert asked(client, wait=waited.append).error["attempts"] == 2
    assert waited == [0.5, 1.0]
    with pytest.raises(UnavailableError):
        asked(Failing([gone], away=[gone] * 99))


@pytest.mark.parametrize("failure", [UnauthenticatedError("token?"), NotInBundleError("no such rule")])
def test_what_is_wrong_with_the_job_ends_it(failure):
    with pytest.raises(type(failure)):
        asked(Failing([failure]))


@pytest.mark.parametrize(
    ("failure", "stage", "status", "retryable"),
    [
        (InvalidInputError("damaged", request_id="7"), "answer", "INVALID_ARGUMENT", False),
        (InvalidInputError("no file"), "read", "INVALID_ARGUMENT", False),
        (DeadlineExceededError("late", request_id="7"), "answer", "DEADLINE_EXCEEDED", True),
        (ServiceError("defect", request_id="7"), "answer", "INTERNAL", True),
        (PermissionError("not yours"), "read", "UNREADABLE", True),
    ],
)
def test_what_is_wrong_with_a_file_is_its_error(failure, stage, status, retryable):
    error = asked(Failing([failure])).error
    assert (error["stage"], error["status"], error["retryable"]) == (stage, status, retryable)


def test_a_file_that_cannot_be_read_now_may_be_read_later():
    failure = InvalidInputError("'a.wav' cannot be read: Input/output error")
    failure.__cause__ = OSError(5, "Input/output error")
    assert asked(Failing([failure])).error["retryable"]


def test_what_is_expected_of_a_file_and_cannot_be_read_is_its_error(tmp_path):
    item = Item("a.wav", "/music/a.wav", expected=str(tmp_path / "gone.lab"))
    assert "cannot be read as start, end and label" in asked(Failing([]), item=item).error["message"]
