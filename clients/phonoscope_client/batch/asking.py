"""One file of a catalogue asked about: its rows, or why there are none."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from phonoscope_client.batch.expectation import expectation
from phonoscope_client.batch.items import Item
from phonoscope_client.batch.question import CatalogueQuestion
from phonoscope_client.batch.rows import Row, about, rows
from phonoscope_client.batch.service import LastingService
from phonoscope_client.errors import (
    BusyError,
    DeadlineExceededError,
    InvalidInputError,
    NotInBundleError,
    OutOfRangeError,
    PhonoscopeError,
    UnauthenticatedError,
    UnavailableError,
)

MOST_ATTEMPTS = 4  # at a file during which the service went away: the fault may be the file's
SHORTEST_WAIT_S, SPREAD = 0.1, 0.25  # callers who were told to come back at once do not all come at once
_STATUSES: list[tuple[type[PhonoscopeError], str]] = [  # the more special first
    (OutOfRangeError, "OUT_OF_RANGE"),
    (InvalidInputError, "INVALID_ARGUMENT"),
    (DeadlineExceededError, "DEADLINE_EXCEEDED"),
    (UnavailableError, "UNAVAILABLE"),
]


@dataclass(frozen=True)
class Answered:
    """What came of one file.

    Attributes:
        file: what the catalogue calls it.
        rows: its rows; None where it failed.
        error: why it failed; None where it did not.
    """

    file: str
    rows: list[Row] | None = None
    error: dict[str, Any] | None = None


class Interrupted(Exception):  # noqa: N818 - no error: the job is to end
    """The job is to end before this file was answered."""


def answered(
    item: Item, question: CatalogueQuestion, service: LastingService, wait: Callable[[float], bool]
) -> Answered:
    """Asks about one file until it is answered or fails for good.

    A busy service is asked again when it says so, however often. What is wrong with the job as a whole is raised.

    Args:
        item: the file.
        question: what it is asked.
        service: answers.
        wait: waits so many seconds; whether the job is to end.

    Raises:
        Interrupted: the job is to end.
        UnauthenticatedError: the service asks for a token.
        NotInBundleError: the bundle lacks what every file is asked.
        UnavailableError: the service went away and did not come back.
    """
    attempts = 1
    while True:
        client = service.client()
        try:
            return Answered(item.file, _rows(item, question, client))
        except BusyError as busy:
            if wait(max(busy.retry_after_s, SHORTEST_WAIT_S) * (1 + SPREAD * random.random())):  # noqa: S311 - no secret
                raise Interrupted from busy
        except UnavailableError as away:
            service.renew(client)
            if attempts == MOST_ATTEMPTS:
                return _failed(item, away, "service", attempts)
            attempts += 1
        except (UnauthenticatedError, NotInBundleError):
            raise
        except PhonoscopeError as failure:
            stage = "answer" if failure.request_id else "read"
            return _failed(item, failure, stage, attempts)
        except OSError as failure:
            return _failed(item, failure, "read", attempts)


def _rows(item: Item, question: CatalogueQuestion, client: Any) -> list[Row]:  # noqa: ANN401 - a Client, or a test's
    expected = expectation(item.expected)
    settings = dict(question.settings)
    settings["at_s"] = (*settings.get("at_s", ()), *item.moments) if "explain" in question.ask else ()
    track = client.explain_track(item.path, **settings, timeout_s=question.timeout_s).collect()
    if not track.summary.complete:
        raise DeadlineExceededError(f"heard as far as {track.summary.heard_until_s:.1f} s, then time ran out")
    if not len(track.probability):
        raise InvalidInputError("it holds no sound")
    return list(rows(item, question, expected, track))


def _failed(item: Item, failure: Exception, stage: str, attempts: int) -> Answered:
    status = next((name for kind, name in _STATUSES if isinstance(failure, kind)), None)
    if status is None:
        status = "UNREADABLE" if isinstance(failure, OSError) else "INTERNAL"
    said = {
        "stage": stage,
        "status": status,
        "message": str(failure),
        # A disk, or a share, that cannot be read now may be read later.
        "retryable": not isinstance(failure, InvalidInputError) or isinstance(failure.__cause__, OSError),
        "attempts": attempts,
    }
    return Answered(item.file, error=about(item) | said)
