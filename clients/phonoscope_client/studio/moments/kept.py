"""Answers that are kept for a while, by numbers that nobody guesses, for what the page may ask of them later."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from typing import Generic, TypeVar

from starlette.exceptions import HTTPException

Answer = TypeVar("Answer")


class Kept(Generic[Answer]):
    """The answers that were asked for last.

    Args:
        most: how many.
        what: they are, for people.
    """

    def __init__(self, most: int, what: str) -> None:
        self._most, self._what = most, what
        self._answers: OrderedDict[str, Answer] = OrderedDict()

    def __len__(self) -> int:
        return len(self._answers)

    def keep(self, answer: Answer) -> str:
        """Keeps one more, and forgets the one that was not used for longest where there are too many."""
        number = secrets.token_urlsafe(12)
        self._answers[number] = answer
        if len(self._answers) > self._most:
            self._answers.popitem(last=False)
        return number

    def get(self, number: str) -> Answer:
        """One of them.

        Raises:
            HTTPException: it is not kept any more, or never was.
        """
        if number not in self._answers:
            raise HTTPException(404, f"This {self._what} is not kept any more; ask for it again.")
        self._answers.move_to_end(number)
        return self._answers[number]
