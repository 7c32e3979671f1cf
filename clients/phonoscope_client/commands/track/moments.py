"""Which moments of a track are to be explained, as people write it.

Several add up; each is one of

every:10s       one moment every 10 s
given:vocal     of those, where this label of the listener's is given; by itself, one in each segment of that label
changes         where the answer changes
certain:8       the 8 moments whose answer is most certain
uncertain:8     the 8 whose answer is least certain
at:30,45.5      these moments
none            no moment: only the curve
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from phonoscope_client.commands.song_options import seconds

Number = TypeVar("Number", int, float)
GRAMMAR = "every:10s, given:vocal, changes, certain:8, uncertain:8, at:30,45.5 or none"


@dataclass(frozen=True)
class Moments:
    """Moments, as `Client.explain_track` takes them."""

    every_s: float | None = None
    where_label: str | None = None
    where_it_changes: bool = False
    most_certain: int = 0
    least_certain: int = 0
    at_s: tuple[float, ...] = ()


def parsed(text: str) -> Moments:
    """The moments that one text describes, in the grammar above.

    Raises:
        argparse.ArgumentTypeError: it describes none.
    """
    kind, _, rest = text.strip().partition(":")
    try:
        return _MAKERS[kind](rest)
    except (KeyError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} names no moments; write {GRAMMAR}") from error


def added_up(several: Sequence[Moments]) -> Moments:
    """All moments of some texts as one question: of what is said twice the last counts, moments by name add up."""
    said: dict[str, Any] = {name: value for each in several for name, value in vars(each).items() if value}
    return Moments(**said | {"at_s": tuple(moment for each in several for moment in each.at_s)})


def _every(rest: str) -> Moments:
    return Moments(every_s=_positive(_seconds(rest.removesuffix("s"))))


def _given(rest: str) -> Moments:
    return Moments(where_label=rest or "vocal")


def _changes(rest: str) -> Moments:
    return Moments(where_it_changes=_nothing(rest))


def _none(rest: str) -> Moments:
    _nothing(rest)
    return Moments()


def _certain(rest: str) -> Moments:
    return Moments(most_certain=_positive(int(rest)))


def _uncertain(rest: str) -> Moments:
    return Moments(least_certain=_positive(int(rest)))


def _at(rest: str) -> Moments:
    return Moments(at_s=tuple(_seconds(each.strip().removesuffix("s")) for each in rest.split(",")))


def _seconds(text: str) -> float:
    try:
        return seconds(text)
    except argparse.ArgumentTypeError as error:
        raise ValueError(text) from error


def _positive(number: Number) -> Number:
    if number <= 0:
        raise ValueError(number)
    return number


def _nothing(rest: str) -> bool:
    if rest:
        raise ValueError(rest)
    return True


_MAKERS = {
    "every": _every,
    "given": _given,
    "changes": _changes,
    "certain": _certain,
    "uncertain": _uncertain,
    "at": _at,
    "none": _none,
}
