"""Arguments checked before anything is sent: of which kind they are; what a service takes on, the service judges."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from numbers import Integral, Real
from typing import TypeVar

import numpy as np

from phonoscope_client.errors import FieldViolation, OutOfRangeError, invalid

Word = TypeVar("Word", bound=str)
Meant = TypeVar("Meant")


def moment(value: object) -> float:
    """A moment in a recording, `at_s`.

    Raises:
        InvalidInputError: it is no finite number.
        OutOfRangeError: it lies before the beginning.
    """
    at_s = number("at_s", value, "seconds from the recording's start, such as 34.5")
    if at_s < 0:
        description = f"{at_s:g} s lies before the recording; give 0 or more"
        raise OutOfRangeError(f"at_s: {description}", violations=[FieldViolation("at_s", description)])
    return at_s


def number(name: str, value: object, wanted: str) -> float:
    """A finite number.

    Args:
        name: of the argument.
        value: of the argument.
        wanted: what to give instead, for people.

    Raises:
        InvalidInputError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise invalid(name, f"{shown(value)}; give {wanted}")
    return float(value)


def whole_number(name: str, value: object, least: int, above: int, wanted: str = "") -> int:
    """A whole number from `least` on, below `above`; one that is written as a float is taken.

    Args:
        name: of the argument.
        value: of the argument.
        least: the smallest.
        above: the smallest that is too large.
        wanted: what to give instead, for people.

    Raises:
        InvalidInputError: it is none.
    """
    wanted = wanted or f"a whole number of {least} or more, below {above}"
    is_whole = not isinstance(value, bool) and isinstance(value, Integral)
    if not is_whole and not number(name, value, wanted).is_integer():
        raise invalid(name, f"{shown(value)}; give {wanted}")
    found = int(value)  # type: ignore[call-overload]  # `number` has refused all else
    if not least <= found < above:
        raise invalid(name, f"{found}; give {wanted}")
    return int(found)


def flag(name: str, value: object) -> bool:
    """Yes or no.

    Raises:
        InvalidInputError: it is neither.
    """
    if not isinstance(value, bool | np.bool_):
        raise invalid(name, f"{shown(value)}; give True or False")
    return bool(value)


def text(name: str, value: object, wanted: str = "a name") -> str:
    """Text that can be sent.

    Raises:
        InvalidInputError: it is no string, or holds what is no text.
    """
    if not isinstance(value, str) or not value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise invalid(name, f"{shown(value)}; give {wanted}")
    return value


def choice(name: str, value: object, choices: Mapping[Word, Meant]) -> Meant:
    """What one of several words stands for.

    Raises:
        InvalidInputError: it is none of them.
    """
    for word, meant in choices.items():
        if isinstance(value, str) and value == word:
            return meant
    raise invalid(name, f"{shown(value)}; give {' or '.join(choices)}")


def several(name: str, value: object, wanted: str) -> tuple[object, ...]:
    """Several things, in their order, yet to be checked.

    Raises:
        InvalidInputError: it is only one, or none that can be listed.
    """
    if isinstance(value, str | bytes) or not isinstance(value, Collection | np.ndarray):
        raise invalid(name, f"{shown(value)}; give {wanted}")
    return tuple(value)


def shown(value: object) -> str:
    """An argument as an error shows it, in a few words."""
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}, shape {value.shape}"
    written = repr(value)
    return written if len(written) <= 80 else f"{written[:80]} ..."
