"""How the values of the command line's options are read: what is wrong with one is said beside its name."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

from phonoscope_serving.service.listening.addresses import host_and_port, is_path


def address(text: str) -> str:
    """`HOST:PORT`."""
    try:
        host_and_port(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def grpc_address(text: str) -> str:
    """`HOST:PORT`, or `unix:PATH`."""
    return text if is_path(text) else address(text)


def seconds(text: str) -> float:
    """A number of seconds of 0 or more."""
    number = float(text)
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds of 0 or more")
    return number


def at_least(least: int) -> Callable[[str], int]:
    """A whole number with a least value."""
    return between(least, None)


def between(least: int, most: int | None) -> Callable[[str], int]:
    """A whole number with a least and, where there is one, a most value."""

    def whole_number(text: str) -> int:
        number = int(text)
        if number < least:
            raise argparse.ArgumentTypeError(f"{text} is below {least}")
        if most is not None and number > most:
            raise argparse.ArgumentTypeError(f"{text} is above {most}, the most on this machine")
        return number

    return whole_number
